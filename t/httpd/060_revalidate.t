# SPDX-License-Identifier: Apache-2.0
#
# What is stale is revalidated: a 304 keeps the body and updates the headers, a 200 replaces both,
# and who reads the old body meanwhile gets all of it.
use strict;
use warnings;

use Storer::Test;
use Test::More;
use Time::HiRes qw(sleep);

# A client may ask for a revalidation at any time (RFC 9111 section 5.2.1.1): no test has to wait.
my @revalidate = ('Cache-Control' => 'max-age=0');

# ---- a 304 ---------------------------------------------------------------------------------------

for my $case ([ etag => [ etag => 'auto' ] ], [ date => [ lm => '@1700000000' ] ],
    [ chunked => [ etag => 'auto', chunked => 1 ] ]) {
    my ($name, $parameters) = @$case;
    my $path = "/060/304/$name";
    my $target = target($path, body => 50_000, cc => 'max-age=600', @$parameters,
        h => 'X-One: old');

    my $first = fetch($target);
    is_body($first, $path, size => 50_000);
    control($path, h => 'X-One: new', cc => 'max-age=700');
    my $response = from_origin($path, 1, "$name: revalidation", sub {
        fetch($target, headers => \@revalidate);
    });
    is(not_modified($path), 1, "$name: answered 304");
    is($response->status, 200, "$name: the client gets a 200");
    is_cache($response, 'REVALIDATE', $name);
    is_body($response, $path, size => 50_000, name => "$name: with the body");

    from_origin($path, 0, "$name: three hits after it", sub {
        for (1 .. 3) {
            my $hit = fetch($target);
            is_cache($hit, 'HIT', "$name, revalidated");
            is_body($hit, $path, size => 50_000, name => "$name, revalidated: the body");
            is($hit->header('X-One'), 'new', "$name, revalidated: a header of the 304");
            is($hit->header('Cache-Control'), 'max-age=700', "$name, revalidated: its freshness");
            isnt($hit->header('X-Serial'), $first->header('X-Serial'), 'and its serial number');
            is($hit->header('Content-Length'), 50_000, "$name, revalidated: the body's length");
        }
    });
    is(fetch($target, method => 'HEAD')->header('Content-Length'), 50_000, "$name: so says HEAD");
    is(fetch($target, headers => [ Range => 'bytes=49000-' ])->content,
        substr(body_of($path, size => 50_000), 49_000), "$name: and Range");
    for (1 .. 5) {
        fetch($target, headers => \@revalidate);
    }
    is_body(fetch($target), $path, size => 50_000, name => "$name: revalidated five times more");
}

# ---- a 304 while another client reads ------------------------------------------------------------

# A hit of which the client has read only the beginning.
sub slow_reader {
    my ($target, %option) = @_;
    my $connection = connection(receive_buffer => 8192);
    $connection->send(GET => $target, headers => [ Connection => 'close' ], %option);
    my $response = $connection->head;
    is_cache($response, 'HIT', 'a slow reader');
    $connection->body(10_000);
    ok(!$response->complete, 'has read a part');
    return $connection;
}

my $path = '/060/slow';
my $target = target($path, body => '4M', cc => 'max-age=600', etag => 'auto', h => 'X-One: old');
fetch($target);
my $slow = slow_reader($target);
control($path, h => 'X-One: new');
my $response = fetch($target, headers => \@revalidate);
is_cache($response, 'REVALIDATE', 'meanwhile');
is_body($response, $path, size => '4M');
my $slow_too = slow_reader($target);
fetch($target, headers => \@revalidate) for 1 .. 3;
is_body(fetch($target), $path, size => '4M', name => 'hits meanwhile');
is_body($slow->body, $path, size => '4M', name => 'the slow reader gets the whole body');
is($slow->{response}->header('X-One'), 'old', 'with the headers it began with');
is_body($slow_too->body, $path, size => '4M', name => 'the second one too');
is($slow_too->{response}->header('X-One'), 'new', 'with the new headers');
is(fetch($target)->header('X-One'), 'new', 'and so do hits');

# ---- a 200 ---------------------------------------------------------------------------------------

$slow = slow_reader($target);
control($path, seed => 2, body => '3M');
$response = fetch($target, headers => \@revalidate);
is($response->status, 200, 'a new version');
is_body($response, $path, size => '3M', seed => 2, name => 'is delivered');
$response = fetch($target);
is_cache($response, 'HIT', 'the new version');
is_body($response, $path, size => '3M', seed => 2, name => 'and replaces the old one');
is_body($slow->body, $path, size => '4M', name => 'which a slow reader still gets whole');

# one variant is revalidated, the other left alone
my $varied = target('/060/varied', body => 3000, cc => 'max-age=600', etag => 'auto',
    vary => 'X-Group', echo => 'X-Group');
fetch($varied, headers => [ 'X-Group' => $_ ]) for qw(a b);
$response = fetch($varied, headers => [ 'X-Group' => 'a', @revalidate ]);
is_cache($response, 'REVALIDATE', 'one variant');
is_body($response, '/060/varied', size => 3000, variant => 'a');
for my $group (qw(a b)) {
    $response = fetch($varied, headers => [ 'X-Group' => $group ]);
    is_cache($response, 'HIT', "variant $group after it");
    is_body($response, '/060/varied', size => 3000, variant => $group);
}

# ---- time ----------------------------------------------------------------------------------------

# three objects grow stale together: one is revalidated, one is gone with CacheStorerStale 0, and
# one is served while its origin fails
my $expiring = target('/060/expiring', body => 900, cc => 'max-age=1', etag => 'auto');
my $gone = target('/060/gone', body => 900, cc => 'max-age=1', etag => 'auto');
my $failing = target('/060/failing', body => 900, cc => 'max-age=1', etag => 'auto');
fetch($expiring);
fetch($gone, host => 'shortstale.test');
fetch($failing);
sleep 2.6;

$response = from_origin('/060/expiring', 1, 'expired', sub { fetch($expiring) });
is_cache($response, 'REVALIDATE', 'expired');
is_body($response, '/060/expiring', size => 900);
like(last_request('/060/expiring'), qr/^If-None-Match: "1-[0-9a-f]{16}"/mi, 'it was a condition');

$response = from_origin('/060/gone', 1, 'beyond CacheStorerStale', sub {
    fetch($gone, host => 'shortstale.test');
});
is_cache($response, 'MISS', 'beyond CacheStorerStale');
is_body($response, '/060/gone', size => 900);
unlike(last_request('/060/gone'), qr/^If-None-Match/mi, 'there was nothing left to ask about');

control('/060/failing', status => 503, body => 10);
$response = fetch($failing);
is($response->status, 200, 'stale, and the origin fails: CacheStaleOnError');
is_body($response, '/060/failing', size => 900, name => 'the stale body');

finish();
