# SPDX-License-Identifier: Apache-2.0
#
# A request on a cold key fills it even if it wants less than all: with conditions, a Range, or a
# client that goes away.
use strict;
use warnings;

use Storer::Test;
use Test::More;

# seconds after which a gate of the origin opens by itself
use constant GATE_PATIENCE => 30;

# ---- conditions ----------------------------------------------------------------------------------

for my $case (
    [ 'matches', [ 'If-None-Match' => 'ETAG' ],          304 ],
    [ 'differs', [ 'If-None-Match' => '"other"' ],       200 ],
    [ 'since',   [ 'If-Modified-Since' => 'MODIFIED' ],  304 ],
    [ 'before',  [ 'If-Modified-Since' => 'Sat, 01 Jan 2000 00:00:00 GMT' ], 200 ],
) {
    my ($name, $condition, $status) = @$case;
    my $path = "/230/condition/$name";
    my @parameters = (body => 4_000, cc => 'max-age=600', etag => 'auto', lm => '@1700000000');
    my $twin = fetch(target($path, @parameters), method => 'HEAD'); # does not fill
    my %value = (ETAG => $twin->header('ETag'), MODIFIED => $twin->header('Last-Modified'));
    my @headers = map { $value{$_} || $_ } @$condition;

    my $response = fetch(target($path, @parameters), headers => \@headers);
    is($response->status, $status, "$name, cold");
    is_body($response, $path, size => 4_000) if $status == 200;
    is($response->content, '', "$name: no body") if $status == 304;
    is($response->header('ETag'), $value{ETAG}, "$name: the ETag");
    my $hit = fetch(target($path, @parameters));
    is_cache($hit, 'HIT', "$name: filled");
    is_body($hit, $path, size => 4_000, name => "$name: with the whole body");
    is(fetch(target($path, @parameters), headers => \@headers)->status, $status, "$name, warm");
    is(requests($path), 2, "$name: HEAD, and one fetch");
    unlike(last_request($path), qr/^If-/mi, "$name: the origin was not asked a condition");
}

# ---- ranges --------------------------------------------------------------------------------------

for my $case (
    [ 'first',   'bytes=0-99',        206, 0,      100 ],
    [ 'middle',  'bytes=70000-79999', 206, 70_000, 10_000 ],
    [ 'last',    'bytes=-500',        206, 199_500, 500 ],
    [ 'open',    'bytes=150000-',     206, 150_000, 50_000 ],
    [ 'long',    'bytes=199990-999999', 206, 199_990, 10 ],
    [ 'all',     'bytes=0-',          206, 0,      200_000 ],
) {
    my ($name, $range, $status, $offset, $length) = @$case;
    my $path = "/230/range/$name";
    my $target = target($path, body => 200_000, cc => 'max-age=600', etag => 'auto');
    my $whole = body_of($path, size => 200_000);

    for my $time ('cold', 'warm') {
        my $response = fetch($target, headers => [ Range => $range ]);
        is($response->status, $status, "$name, $time");
        is($response->header('Content-Range'),
            sprintf('bytes %d-%d/200000', $offset, $offset + $length - 1), "$name, $time: what it is");
        ok($response->content eq substr($whole, $offset, $length), "$name, $time: the bytes");
        is($response->header('Content-Length'), $length, "$name, $time: and their number");
    }
    my $hit = fetch($target);
    is_cache($hit, 'HIT', "$name: filled");
    is_body($hit, $path, size => 200_000, name => "$name: with the whole body");
    is(requests($path), 1, "$name: one fetch");
}
{
    # the client has its part before the origin is through
    my $path = '/230/range/early';
    my $target = target($path, body => 600_000, cc => 'max-age=600', gate => 'early', at => 300_000);
    my $connection = connection();
    my $begin = time;
    my $response = $connection->request('GET', $target, headers => [ Range => 'bytes=10-19' ]);
    cmp_ok(time - $begin, '<', GATE_PATIENCE / 2, 'an answer before the origin is through');
    is($response->status, 206, 'the beginning of a body that has not come yet');
    is($response->content, substr(body_of($path, size => 20), 10), 'its bytes');
    open_gate('early');
    $connection->close;
    wait_for('the rest', sub { fetch($target)->cache eq 'HIT' });
    is_body(fetch($target), $path, size => 600_000, name => 'all of it is stored');
    is(requests($path), 1, 'one fetch');
}
# (several ranges may be answered with all: httpd's own filter makes parts of a whole body only)
for my $case ([ 'beyond', 'bytes=5000-', qr/416/ ], [ 'several', 'bytes=0-9,20-29', qr/200|206/ ],
    [ 'nonsense', 'bytes=a', qr/200/ ]) {
    my ($name, $range, $status) = @$case;
    my $path = "/230/range/$name";
    my $target = target($path, body => 1_000, cc => 'max-age=600');
    like(fetch($target, headers => [ Range => $range ])->status, $status, "$name, $_")
        for 'cold', 'warm';
    is_body(fetch($target), $path, size => 1_000, name => "$name: the whole body is stored");
    is(requests($path), 1, "$name: one fetch");
}
{
    # If-Range
    my $path = '/230/if-range';
    my $target = target($path, body => 1_000, cc => 'max-age=600', etag => 'auto');
    my $response = fetch($target, headers => [ Range => 'bytes=0-9', 'If-Range' => '"other"' ]);
    is($response->status, 200, 'If-Range with another ETag: all of it');
    is_body($response, $path, size => 1_000);
    is_cache(fetch($target, headers => [ Range => 'bytes=0-9', 'If-Range' => '"other"' ]), 'HIT',
        'and the same from the cache');
}

# what is not stored anyway is left alone the next time
{
    my $path = '/230/uncacheable';
    my $target = target($path, body => 1_000, cc => 'no-store', etag => 'auto');
    my $etag = fetch($target)->header('ETag');
    fetch($target, headers => [ 'If-None-Match' => $etag ]) for 1 .. 2;
    is(not_modified($path), 2, 'remembered as not to be stored: the origin may answer 304');
}

# who has what he asked for does not wait for the end of what nobody stores
for my $case ([ 'range', [ Range => 'bytes=10-19' ], 206 ],
    [ 'condition', [ 'If-None-Match' => 'W/"x"' ], 304 ]) {
    my ($name, $headers, $status) = @$case;
    my $path = "/230/unstored/$name";
    my $target = target($path, body => 3_000_000, cc => 'no-store', h => 'ETag: W/"x"',
        gate => "unstored-$name", at => 2_000_000);
    my $connection = connection();
    my $begin = time;
    my $response = $connection->request('GET', $target, host => 'collapse-off.test',
        headers => $headers);
    cmp_ok(time - $begin, '<', GATE_PATIENCE / 2, "$name: an answer before the origin is through");
    is($response->status, $status, "$name, not to be stored");
    $connection->send('GET', '/230/unstored/next');
    ok($connection->is_readable(GATE_PATIENCE / 2), "$name: the next request does not wait for the rest");
    $connection->close;
    open_gate("unstored-$name");
}

# ---- aborted clients -----------------------------------------------------------------------------

{
    # a client that goes away shortly before the end
    my $path = '/230/abort/near';
    my $target = target($path, body => 3_000_000, cc => 'max-age=600', gate => 'near',
        at => 2_500_000);
    my $mark = log_mark();
    my $client = connection();
    $client->send('GET', $target);
    $client->head;
    $client->body(2_400_000);
    wait_for('most of it at the origin', sub { arrived('near') == 1 });
    $client->abort;
    open_gate('near');
    wait_for('the end', sub { log_since($mark) =~ /CS0412: stored [^\n]*\Q$path\E/ });
    is_body(fetch($target), $path, size => 3_000_000, name => 'fetched to the end');
    is(requests($path), 1, 'by one fetch');
    like(log_since($mark), qr/CS0711: the client went away/, 'the log says why');
}
{
    # ...and one that goes away early
    my $path = '/230/abort/far';
    my $target = target($path, body => 9_000_000, cc => 'max-age=600');
    my $mark = log_mark();
    my $client = connection(receive_buffer => 8192);
    $client->send('GET', $target);
    wait_for('the beginning', sub { $client->head });
    $client->abort;
    wait_for('the request to end', sub { log_since($mark) =~ /CS0411: [^\n]*\Q$path\E/ });
    is_body(fetch($target), $path, size => 9_000_000, name => 'not stored; the next one fetches it');
    is(requests($path), 2, 'again');
}

finish();
