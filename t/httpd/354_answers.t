# SPDX-License-Identifier: Apache-2.0
#
# How a hit answers conditions and ranges (RFC 9110 section 14.4, RFC 9111 section 4.3.2), and errors
# that httpd makes a page for itself.
use strict;
use warnings;

use Storer::Test;
use Test::More;
use POSIX qw(strftime);

sub http_date { return strftime '%a, %d %b %Y %H:%M:%S GMT', gmtime shift }

# ---- If-Modified-Since without Last-Modified -----------------------------------------------------

for my $host ('127.0.0.1', 'slow.test') {
    my $path = "/354/since-$host";
    my @host = (host => $host);
    control($path, cc => 'max-age=600', etag => '"v1"');
    my $date = fetch($path, @host)->header('Date');
    my $response = fetch($path, @host, headers => [ 'If-Modified-Since' => $date ]);
    is($response->status, 304, "$host: not modified since its Date");
    is($response->header('Last-Modified'), undef, 'and nothing is made up for it');
    is(requests($path), 1, 'from the cache');

    control($path, cc => 'max-age=600', date => -50);
    fetch($path, @host, headers => [ 'Cache-Control' => 'no-cache' ]);
    is(fetch($path, @host, headers => [ 'If-Modified-Since' => http_date(time - 20) ])->status, 304,
        "$host: nor since a later time");
    is(fetch($path, @host, headers => [ 'If-Modified-Since' => http_date(time - 80) ])->status, 200,
        "$host: but since an earlier one");
    is(fetch($path, @host, headers => [ 'If-Modified-Since' => http_date(time + 800) ])->status, 200,
        "$host: a time to come says nothing");
    is(fetch($path, @host, headers => [ 'If-Modified-Since' => 'nonsense' ])->status, 200,
        "$host: nor does what is no date");
    is(fetch($path, @host, headers =>
                [ 'If-Modified-Since' => http_date(time - 20), 'If-None-Match' => '"x"' ])->status,
        200, "$host: If-None-Match goes before it");
    is(requests($path), 2, "$host: all from the cache");
}

{
    # a time after the response came is as good as any
    my $path = '/354/since-later';
    control($path, cc => 'max-age=600', lm => 864_000, date => -50);
    fetch($path);
    is(fetch($path, headers => [ 'If-Modified-Since' => http_date(time - 20) ])->status, 304,
        'Last-Modified: not modified since a time after its Date');
    is(fetch($path, headers => [ 'If-Modified-Since' => http_date(time - 900_000) ])->status, 200,
        'but since one before');
    is(fetch($path, headers => [ 'If-Modified-Since' => http_date(time - 20), Range => 'bytes=0-9' ])
            ->status, 304, 'a range does not change that');
    is(requests($path), 1, 'all from the cache');
}
{
    # one that was changed just before it came
    my $path = '/354/since-weak';
    control($path, cc => 'max-age=600', lm => 10);
    my $modified = fetch($path)->header('Last-Modified');
    is(fetch($path, headers => [ 'If-Modified-Since' => $modified, Range => 'bytes=0-9' ])->status, 304,
        'nor if it was changed just before it came');
    is(requests($path), 1, 'from the cache');
}

# ---- a range that is not there -------------------------------------------------------------------

for my $host ('127.0.0.1', 'slow.test', 'lz4.test') {
    my $path = "/354/range-$host";
    my @host = (host => $host);
    control($path, cc => 'max-age=600', etag => '"v1"', body => 6400);
    fetch($path, @host);
    for my $range ('bytes=6400-', 'bytes=9000-9999') {
        my $response = fetch($path, @host, headers => [ Range => $range ]);
        is($response->status, 416, "$host, $range: not there");
        is($response->header('Content-Range'), 'bytes */6400', 'and how much there is');
    }
    is(requests($path), 1, 'from the cache');
    is(fetch($path, @host, headers => [ Range => 'bytes=0-9' ])->header('Content-Range'),
        'bytes 0-9/6400', 'one that is there');
}

expect_log(qr/AH01110: error reading response/); # of the body that is cut off

# ---- stored --------------------------------------------------------------------------------------

for my $case ([ 'a body that fits', 1, body => '100K' ], [ 'a small one', 1, body => 64 ],
    [ 'one that is too large', 0, body => '300K' ],
    [ 'one that is too large, as it turns out', 0, body => '300K', chunked => 1 ],
    [ 'one that is cut off', 0, body => '300K', chunked => 1, cut => 250_000 ]) {
    my ($name, $want, @parameters) = @$case;
    my $path = '/354/stored-' . $name =~ s/\W/-/gr;
    control($path, cc => 'max-age=600', @parameters);
    my $response = fetch($path, host => 'small.test');
    is($response->header('Cache-Status') =~ /; stored/ ? 1 : 0, $want,
        "$name: Cache-Status says " . ($want ? 'stored' : 'nothing of stored'));
}

# ---- a page for an error -------------------------------------------------------------------------

{
    my @host = (host => 'error-override.test');
    my $path = '/354/override';
    control($path, status => 404);
    my $first = fetch($path, @host);
    is($first->status, 404, 'ProxyErrorOverride: a 404');
    like($first->content, qr/There is no such page/, 'with the page of ErrorDocument');
    my $second = fetch($path, @host);
    is($second->status, 404, 'and again');
    is($second->content, $first->content, 'with the same page');
    is(requests($path), 1, 'stored for as long as CacheStorerTTL says');
    like($second->header('Cache-Status'), qr/; hit; ttl=(?:600|5\d\d)\z/, 'which is in Cache-Status');
    is(fetch('/350/error/missing.html', @host)->status, 200, 'the page itself is a page');
}
{
    my @host = (host => 'error-override.test');
    my $path = '/354/override-403';
    control($path, status => 403);
    fetch($path, @host) for 1 .. 2;
    is(requests($path), 2, 'what CacheStorerTTL does not name is not stored');
}

finish();
