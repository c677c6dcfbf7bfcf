# SPDX-License-Identifier: Apache-2.0
#
# A fetch without a client: one that goes on when its client has gone, as far as CacheStorerFinishFill
# allows, and one that a HEAD leaves to be fetched.
use strict;
use warnings;

use Storer::Test;
use Test::More;

use constant GATE_PATIENCE => 30;

# A client that has read the head and goes away, while the origin waits at a gate.
sub leave {
    my ($target, $gate) = @_;
    my $client = connection(receive_buffer => 8192);
    $client->send('GET', $target);
    wait_for('the beginning', sub { arrived($gate) == 1 });
    $client->head;
    $client->abort;
    return;
}

# ---- a body whose length nobody knows ------------------------------------------------------------

{
    my $path = '/332/chunked';
    my $target = target($path, body => 300_000, chunked => 1, cc => 'max-age=600', gate => '332-chunked',
        at => 100_000);
    my $mark = log_mark();
    leave($target, '332-chunked');
    open_gate('332-chunked');
    ok(wait_for('the end', sub { log_since($mark) =~ /CS0412: stored [^\n]*\Q$path\E/ }),
        'no Content-Length, and a client that leaves after the head: fetched to the end');
    is_body(fetch($target), $path, size => 300_000);
    is(requests($path), 1, 'by one fetch');
}
{
    my $path = '/332/endless';
    my $target = target($path, body => '1000000M', chunked => 1, cc => 'max-age=600', gate => '332-endless',
        at => 100_000);
    my $mark = log_mark();
    leave($target, '332-endless');
    open_gate('332-endless');
    ok(wait_for('the end', sub { log_since($mark) =~ /CS0831: [^\n]*\Q$path\E[^\n]*CacheStorerFinishFill/ }),
        'a body that does not end is not');
    my $sent = sent($path);
    ok(wait_for('its connection', sub { my $last = $sent; ($sent = sent($path)) == $last }),
        'and its connection to the origin ends');
}
{
    # pieces that come slowly: never more than is allowed, but too long
    my $path = '/332/slow';
    my $target = target($path, body => '1000000M', chunked => 1, cc => 'max-age=600', piece => 100,
        pause => 50, gate => '332-slow', at => 100);
    my $mark = log_mark();
    my $client = connection();
    $client->send('GET', $target, host => 'impatient.test');
    wait_for('the beginning', sub { arrived('332-slow') == 1 });
    $client->head;
    $client->abort;
    open_gate('332-slow');
    ok(wait_for('the end', sub { log_since($mark) =~ /CS0831: [^\n]*\Q$path\E[^\n]*too long/ }),
        'nor one that takes too long');
}

SKIP: {
    # nor does a child that is to end wait for it
    skip 'this process serves by itself', 1 unless children() > 1;
    my $path = '/332/restart';
    my $mark = log_mark();
    leave(target($path, body => '1000000M', chunked => 1, cc => 'max-age=600', piece => 100, pause => 50,
        gate => '332-restart', at => 100), '332-restart');
    open_gate('332-restart');
    wait_for('it to go on', sub { log_since($mark) =~ /CS0711: [^\n]*\Q$path\E/ });
    ok(graceful(), 'a graceful restart: all children end');
}

# ---- HEAD ----------------------------------------------------------------------------------------

{
    my $path = '/332/head';
    my $target = target($path, body => 4_000, cc => 'max-age=600');
    my $head = fetch($target, method => 'HEAD');
    is($head->status, 200, 'HEAD on a cold key');
    is($head->header('Content-Length'), 4_000, 'is answered by the origin');
    ok(wait_for('the fill', sub { log_since(0) =~ /CS0412: stored [^\n]*\Q$path\E\?/ }), 'and fills it');
    is_cache(fetch($target, method => 'HEAD'), 'HIT', 'the next one is served from the cache');
    my $hit = fetch($target);
    is_cache($hit, 'HIT', 'and GET as well');
    is_body($hit, $path, size => 4_000);
    is(requests($path), 2, 'HEAD, and one fetch');
}
{
    my ($path, $after) = ('/332/head-large', '/332/head-after');
    fetch(target($path, body => '2M', cc => 'max-age=600'), method => 'HEAD');
    fetch(target("$path/private", body => 100, cc => 'private'), method => 'HEAD');
    fetch(target($after, body => 100, cc => 'max-age=600'), method => 'HEAD');
    wait_for('a later fill', sub { log_since(0) =~ /CS0412: stored [^\n]*\Q$after\E\?/ });
    is(requests($path), 1, 'more than CacheStorerFinishFill: left to GET');
    is(requests("$path/private"), 1, 'and so is what may not be stored');
}

finish();
