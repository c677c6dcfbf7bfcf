# SPDX-License-Identifier: Apache-2.0
#
# What mod_cache by itself reads otherwise than RFC 9111 and RFC 9110 have it.
use strict;
use warnings;

use Storer::Test;
use Test::More;
use Time::HiRes qw(sleep);

# served(\@parameters, @request): does the second request get the stored response?
sub served {
    my ($name, $want, $parameters, @headers) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $path = "/250/$name";
    my $target = target($path, @$parameters);
    fetch($target);
    my $response = fetch($target, @headers ? (headers => \@headers) : ());
    is($response->cache eq 'HIT' ? 1 : 0, $want, "$name: " . ($want ? 'a hit' : 'no hit'));
    return $response;
}

# Age: of a list the first member, and what is no number is none (RFC 9111 section 5.1)
served('age', 0, [ cc => 'max-age=3600', h => 'Age: 7200' ]);
served('age-list', 0, [ cc => 'max-age=3600', h => 'Age: 7200, 0' ]);
served('age-list-young', 1, [ cc => 'max-age=3600', h => 'Age: 0, 7200' ]);
served('age-fraction', 1, [ cc => 'max-age=3600', h => 'Age: 7200.0' ]);
served('age-text', 1, [ cc => 'max-age=3600', h => 'Age: old' ]);

# the month of a date in any case, and no other liberty
served('month', 1, [ h => 'Expires: Thu, 18 AUG 2050 02:01:18 GMT' ]);
served('year', 0, [ h => 'Expires: Thu, 18 Aug 50 02:01:18 GMT' ]);
served('nonsense', 0, [ h => 'Expires: soon' ]);

# must-understand (section 5.2.2.3)
served('understood', 1, [ cc => 'max-age=600, no-store, must-understand' ]);
served('not-understood', 0, [ cc => 'max-age=600, must-understand', status => 599 ]);

# conditions that the stored response answers (RFC 9110 section 13.2.2)
{
    my @parameters = (cc => 'max-age=600', etag => 'auto', lm => '@1700000000');
    my $etag = fetch(target('/250/conditions', @parameters))->header('ETag');
    my $old = 'Mon, 01 Jan 2001 00:00:00 GMT';
    my $new = 'Mon, 01 Jan 2024 00:00:00 GMT';
    for my $case (
        [ 304, 'If-None-Match' => $etag, 'If-Modified-Since' => $old ],
        [ 200, 'If-None-Match' => '"other"', 'If-Modified-Since' => $new ],
        [ 200, 'If-None-Match' => '"other"' ],
        [ 200, 'If-Modified-Since' => $old ],
        [ 304, 'If-Modified-Since' => $new ],
        [ 200, 'If-Range' => '"other"', 'Range' => 'bytes=0-9' ],
        [ 206, 'If-Range' => $etag, 'Range' => 'bytes=0-9' ],
    ) {
        my ($status, @headers) = @$case;
        my $response = fetch(target('/250/conditions', @parameters), headers => \@headers);
        is($response->status, $status, "@headers: $status");
        like($response->header('Cache-Status'), qr/hit/, 'from the cache');
    }
    is(requests('/250/conditions'), 1, 'the origin was not asked');
}

# the Date stays that of the response, from which its age is counted
{
    my $target = target('/250/date', cc => 'max-age=600');
    my $date = fetch($target)->header('Date');
    sleep 1.1; # the Date of now is another one then
    is(fetch($target)->header('Date'), $date, 'a hit has the Date of the response');
}

# a 304 that says something of a body (section 3.2)
{
    my $path = '/250/304-length';
    my $target = target($path, body => 36, cc => 'max-age=600', etag => 'auto');
    fetch($target);
    control($path, etag => 'auto', cc => 'max-age=600', h => [ 'Content-Length: 10', 'X-New: 1' ]);
    my $response = fetch($target, headers => [ 'Cache-Control' => 'max-age=0' ]);
    is($response->header('Content-Length'), 36, 'the length is that of the stored body');
    is_body($response, $path, size => 36);
    is(requests($path), 2, 'and it was not fetched again for that');
    is(fetch($target)->header('X-New'), 1, 'what else it says counts');
}

# a 304 without Expires does not make a response fresh that has only an Expires of long ago
{
    my $path = '/250/304-expires';
    my $target = target($path, body => 36, etag => 'auto', expires => 600, h => 'Age: 1200');
    fetch($target);
    fetch($target) for 1 .. 2;
    is(requests($path), 3, 'stale after a 304 as it was before');
}

# a status without a name, revalidated
{
    my $path = '/250/599';
    my $target = target($path, cc => 'max-age=600', etag => 'auto');
    control($path, status => 299);
    fetch($target);
    control($path);
    my $response = fetch($target, headers => [ 'Cache-Control' => 'max-age=0' ]);
    is(not_modified($path), 1, 'revalidated');
    is($response->status, 299, 'and still itself');
}

# Content-Range means something in a 206 only
served('content-range', 1, [ cc => 'max-age=600', h => 'Content-Range: nonsense' ]);

finish();
