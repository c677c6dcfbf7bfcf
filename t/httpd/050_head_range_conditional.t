# SPDX-License-Identifier: Apache-2.0
#
# HEAD, Range and conditions on what is stored, and none of them spoils what is stored later.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my $path = '/050/a';
my $size = 300_000;
my $modified = time - 7200;
my @date = gmtime $modified;
my $date = sprintf '%s, %02d %s %d %02d:%02d:%02d GMT', (qw(Sun Mon Tue Wed Thu Fri Sat))[$date[6]],
    $date[3], (qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[$date[4]], $date[5] + 1900,
    @date[2, 1, 0];
my $target = target($path, body => $size, cc => 'max-age=600', etag => '"v1"', lm => "\@$modified",
    h => 'X-One: 1');
my $whole = body_of($path, size => $size);

is_body(fetch($target), $path, size => $size, name => 'stored');
is(requests($path), 1, 'by one request; what follows is answered from the cache');

# ---- HEAD ----------------------------------------------------------------------------------------

my $head = fetch($target, method => 'HEAD');
is($head->status, 200, 'HEAD');
is_cache($head, 'HIT', 'HEAD');
is($head->content, '', 'HEAD has no body');
is($head->header('Content-Length'), $size, 'but its length');
is($head->header($_->[0]), $_->[1], "and $_->[0]") for [ ETag => '"v1"' ], [ 'X-One' => 1 ];

# ---- Range ---------------------------------------------------------------------------------------

for my $case ([ '0-0', 0, 1 ], [ '0-99', 0, 100 ], [ '100-199', 100, 100 ], [ '-1', $size - 1, 1 ],
    [ '-50', $size - 50, 50 ], [ "-$size", 0, $size ], [ '65530-65545', 65530, 16 ],
    [ '131071-131073', 131071, 3 ], [ '1-', 1, $size - 1 ], [ '299990-400000', 299990, 10 ]) {
    my ($range, $from, $length) = @$case;
    my $response = fetch($target, headers => [ Range => "bytes=$range" ]);
    is($response->status, 206, "Range $range");
    is($response->header('Content-Range'),
        sprintf('bytes %d-%d/%d', $from, $from + $length - 1, $size),
        "Range $range: Content-Range");
    ok($response->content eq substr($whole, $from, $length), "Range $range: the bytes");
}

my $several = fetch($target, headers => [ Range => 'bytes=0-9,70000-70009,-10' ]);
is($several->status, 206, 'three ranges');
like($several->header('Content-Type'), qr{\Amultipart/byteranges}, 'make a multipart');
my @parts = $several->content =~ /\r\n\r\n(.{10})\r\n--/gs;
is_deeply(\@parts, [ map { substr $whole, $_, 10 } 0, 70000, $size - 10 ], 'of the right bytes');

is(fetch($target, headers => [ Range => 'bytes=300000-' ])->status, 416, 'a range behind the end');
my $if_range = fetch($target, headers => [ Range => 'bytes=5-6', 'If-Range' => '"v1"' ]);
is($if_range->status, 206, 'If-Range that matches');
is($if_range->content, substr($whole, 5, 2), 'If-Range: the bytes');

# ---- conditions ----------------------------------------------------------------------------------

for my $case ([ 'If-None-Match' => '"v1"' ], [ 'If-None-Match' => 'W/"v1"' ],
    [ 'If-None-Match' => '"v0", "v1"' ], [ 'If-None-Match' => '*' ],
    [ 'If-Modified-Since' => $date ]) {
    my ($name, $value) = @$case;
    my $response = fetch($target, headers => [ $name => $value ]);
    is($response->status, 304, "$name: $value");
    is($response->content, '', "$name: $value: no body");
    is($response->header('ETag'), '"v1"', "$name: $value: the ETag");
}
is(requests($path), 1, 'none of this reached the origin');

# a condition that what is stored does not meet: mod_cache may ask the origin, and keep its answer
for my $headers ([ 'If-None-Match' => '"v0"' ],
    [ 'If-Modified-Since' => 'Thu, 01 Jan 2015 00:00:00 GMT' ],
    [ Range => 'bytes=5-6', 'If-Range' => '"v0"' ]) {
    my $response = fetch($target, headers => $headers);
    is($response->status, 200, "@$headers");
    is_body($response, $path, size => $size, name => "@$headers: all of the body");
    my $again = fetch($target);
    is_cache($again, 'HIT', "a plain request after @$headers");
    is_body($again, $path, size => $size, name => 'with all of the body');
}

# ---- on a cold key -------------------------------------------------------------------------------

for my $case ([ HEAD => HEAD => [] ], [ Range => GET => [ Range => 'bytes=10-19' ] ],
    [ 'If-None-Match' => GET => [ 'If-None-Match' => '"v1"' ] ],
    [ 'If-None-Match, other' => GET => [ 'If-None-Match' => '"v0"' ] ]) {
    my ($name, $method, $headers) = @$case;
    (my $cold = "/050/cold/$name") =~ s/[ ,]+/-/g;
    my $cold_target = target($cold, body => 5000, cc => 'max-age=600', etag => '"v1"');
    my $first = fetch($cold_target, method => $method, headers => $headers);
    if ($name eq 'Range') {
        ok($first->content eq substr(body_of($cold, size => 5000), 10, 10)
            || $first->content eq body_of($cold, size => 5000), 'Range on a cold key is answered');
    }
    for my $round (1, 2) {
        my $response = fetch($cold_target);
        is($response->status, 200, "$name on a cold key, then GET");
        is_body($response, $cold, size => 5000, name => "$name on a cold key: the body after it");
    }
    is_cache(fetch($cold_target), 'HIT', "$name on a cold key, then GET twice, then GET");
}

# a chunked body has its length on a hit, for HEAD and for Range
my $chunked = target('/050/chunked', body => 70_000, cc => 'max-age=600', chunked => 1);
is_body(fetch($chunked), '/050/chunked', size => 70_000);
my $range = fetch($chunked, headers => [ Range => 'bytes=69990-' ]);
is($range->status, 206, 'Range of what came in chunks');
is($range->content, substr(body_of('/050/chunked', size => 70_000), 69990), 'its bytes');

finish();
