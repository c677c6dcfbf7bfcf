# SPDX-License-Identifier: Apache-2.0
#
# What the origin is asked about a stale response, and what a 304 changes (RFC 9110 sections 13 and
# 15.4.5, RFC 9111 sections 3.2, 4.3).
use strict;
use warnings;

use Storer::Test;
use Test::More;

# Stale on arrival, so that no test has to wait.
my @old = (h => 'Age: 100');

# ---- an error is not confirmed -------------------------------------------------------------------

for my $case ([ 404, 'a 404' ], [ 410, 'a 410' ], [ 301, 'a redirect' ], [ 503, 'a 503' ],
    [ 404, 'a 404, without the quick handler', 'slow.test' ]) {
    my ($status, $name, @host) = @$case;
    my $path = "/351/error-$status@host";
    @host = (host => @host) if @host;
    # the page that comes is as old as the error pretends to be
    my @page = (lm => '@1700000000', etag => '"v1"', cc => 'max-age=600');
    control($path, @page, status => $status, h => [ 'Age: 1000', 'Location: /elsewhere' ]);
    is(fetch($path, @host)->status, $status, "$name is stored");
    control($path, @page);
    my $response = fetch($path, @host);
    is($response->status, 200, "$name does not stand for ever");
    is_body($response, $path);
    unlike(last_request($path), qr/^If-/m, "$name: no condition goes to the origin");
    is_cache(fetch($path, @host), 'HIT', "$name: and the page is stored");
}
{
    my $path = '/351/error-refreshed';
    my @page = (lm => '@1700000000', etag => '"v1"', cc => 'max-age=60, stale-while-revalidate=600');
    control($path, @page, status => 404, h => 'Age: 100');
    fetch($path);
    control($path, @page);
    is(fetch($path)->status, 404, 'a 404 that is served stale');
    wait_for('the page', sub { fetch($path)->status == 200 });
    is(not_modified($path), 0, 'is refreshed without a condition');
}
{
    my $path = '/351/error-condition';
    my @page = (lm => '@1700000000', etag => '"v1"', cc => 'max-age=600');
    control($path, @page, status => 404, h => 'Age: 1000');
    fetch($path);
    control($path, @page);
    my $response = fetch($path, headers => [ 'If-None-Match' => '"v1"' ]);
    ok($response->status == 200 || $response->status == 304, 'a condition of the client');
    is_cache(fetch($path), 'HIT', 'does not confirm the 404 either');
    is(fetch($path)->status, 200, 'the page is stored');
}

# ---- a filter has changed the ETag ---------------------------------------------------------------

for my $etag ('"v1"', 'W/"v1"') {
    my $path = '/351/deflate' . ($etag =~ /W/ ? '-weak' : '');
    my @request = (host => 'deflate-first.test', headers => [ 'Accept-Encoding' => 'gzip' ]);
    control($path, body => 3000, etag => $etag, cc => 'max-age=60', @old);
    my $first = fetch($path, @request);
    is($first->header('Content-Encoding'), 'gzip', "$etag: stored as mod_deflate has made it");
    like($first->header('ETag'), qr/-gzip"\z/, "$etag: with the ETag that it has made");
    for my $round (1 .. 3) {
        my $response = fetch($path, @request);
        is_cache($response, 'REVALIDATE', "$etag, expiry $round");
        is($response->header('ETag'), $first->header('ETag'), "$etag: the client's ETag stays");
        is($response->content, $first->content, "$etag: and the body");
    }
    is(requests($path) - not_modified($path), 1, "$etag: one whole fetch for three expiries");
    my $not_modified = fetch($path, host => 'deflate-first.test',
        headers => [ 'Accept-Encoding' => 'gzip', 'If-None-Match' => $first->header('ETag') ]);
    is($not_modified->status, 304, "$etag: and a client's condition is met");
    control($path, body => 3000, etag => '"v2"', cc => 'max-age=600', seed => 2);
    isnt(fetch($path, @request)->content, $first->content, "$etag: until there is another version");
    is_cache(fetch($path, @request), 'HIT', "$etag: which is stored");
}

# ---- what a 304 says anew ------------------------------------------------------------------------

for my $case ([ 'type', 'Content-Type: text/x-other' ], [ 'language', 'Content-Language: de' ],
    [ 'location', 'Content-Location: /other' ], [ 'allow', 'Allow: GET' ]) {
    my ($name, $field) = @$case;
    my ($key, $value) = split /: /, $field;
    my $path = "/351/update-$name";
    my @was = $name eq 'type' ? (ct => 'text/plain') : (h => [ 'Age: 100', "$key: en" ]);
    control($path, etag => '"v1"', cc => 'max-age=60', @old, @was);
    fetch($path);
    control($path, etag => '"v1"', cc => 'max-age=600', h => $field);
    from_origin($path, 1, "a 304 with another $key", sub {
        my $response = fetch($path);
        is_cache($response, 'REVALIDATE', "another $key is no contradiction");
        is($response->header($key), $value, 'the client gets the new one');
        is_body($response, $path);
        my $hit = fetch($path);
        is_cache($hit, 'HIT', 'which is stored');
        is($hit->header($key), $value, 'with the new one');
    });
}
{
    my $path = '/351/update-modified';
    control($path, etag => '"v1"', lm => '@1700000000', cc => 'max-age=60', @old);
    fetch($path);
    control($path, etag => '"v1"', lm => '@1700009999', cc => 'max-age=600');
    from_origin($path, 1, 'another Last-Modified of the same ETag', sub {
        is_cache(fetch($path), 'REVALIDATE', 'is no contradiction');
        is(fetch($path)->header('Last-Modified'), 'Wed, 15 Nov 2023 00:59:59 GMT', 'and is stored');
    });
}
{
    my $path = '/351/weak';
    control($path, etag => '"v1"', cc => 'max-age=60', @old);
    my $first = fetch($path);
    control($path, etag => 'W/"v1"', cc => 'max-age=600');
    from_origin($path, 1, 'the same ETag, weak', sub {
        is_cache(fetch($path), 'REVALIDATE', 'is no contradiction');
        is_cache(fetch($path), 'HIT', 'and is stored');
    });
}
{
    # of several origins the clock of one is slow
    my $path = '/351/date';
    control($path, etag => '"v1"', cc => 'max-age=60', @old);
    fetch($path);
    control($path, etag => '"v1"', cc => 'max-age=600', date => -5);
    from_origin($path, 1, 'a 304 whose Date is older', sub {
        is_cache(fetch($path), 'REVALIDATE', 'is no contradiction');
        is_cache(fetch($path), 'HIT', 'and is stored');
    });
}

# ---- a 304 that says nothing of freshness --------------------------------------------------------

for my $host ('127.0.0.1', 'site.test') {
    my $path = "/351/expires-$host";
    control($path, etag => '"v1"', expires => 600, h => 'Age: 1000');
    fetch($path, host => $host);
    control($path, etag => '"v1"');
    for my $round (1 .. 2) {
        from_origin($path, 1, "$host: Expires alone, and a 304 without it, $round", sub {
            my $response = fetch($path, host => $host);
            is_body($response, $path);
        });
    }
    # when the Expires has passed, which no 304 repeats
    $path = "/351/expired-$host";
    control($path, etag => '"v1"', expires => 1);
    fetch($path, host => $host);
    control($path, etag => '"v1"');
    wait_for('the end of its freshness', sub { fetch($path, host => $host)->cache ne 'HIT' });
    # dates are whole seconds: until the next one a response may be as old as its Date
    my $then = time;
    wait_for('the next second but one', sub { time > $then + 1 });
    for my $round (1 .. 2) {
        from_origin($path, 1, "$host: Expires has passed, $round", sub { fetch($path, host => $host) });
    }
    is(requests($path) - not_modified($path), 1, "$host: and it was fetched once");
}
for my $case ([ 'must', 'max-age=0, must-revalidate' ], [ 's-maxage', 's-maxage=0, proxy-revalidate' ]) {
    my ($name, $cc) = @$case;
    my $path = "/351/zero-$name";
    control($path, etag => '"v1"', cc => $cc);
    fetch($path);
    for my $round (1 .. 2) {
        from_origin($path, 1, "$cc, $round", sub { fetch($path) });
    }
    is(not_modified($path), 2, "$cc: each time a 304");
}

finish();
