# SPDX-License-Identifier: Apache-2.0
#
# Nobody waits in vain twice: whatever becomes of the fetch that a request waits for, after one wait of
# which nothing came it goes on alone, and later requests for the key do not wait at all.
use strict;
use warnings;

use Storer::Herd;
use Storer::Test;
use Test::More;

sub finish_all {
    for my $connection (@_) {
        $connection->answer;
        $connection->close;
    }
    return;
}

# The most that one client has waited, by the log.
sub most_waits {
    my %waits;
    $waits{$_}++ for log_since(shift) =~ /\[client ([\d.:]+)\] CS0731: /g;
    my ($most) = sort { $b <=> $a } values %waits, 0;
    return $most;
}

# ---- in vain, and at once ------------------------------------------------------------------------

# The first request of a crowd passes the gate, and what it gets is nothing for the others: then they are
# at the origin all at once, and a second crowd does not wait at all.
sub in_vain {
    my ($name, $path, $then, @parameters) = @_;
    (my $gate = $path) =~ tr{/}{-};
    my $target = target($path);
    my $mark = log_mark();

    control($path, @parameters, gate => $gate);
    my @clients = gather($target, $gate, 5, host => 'wait.test');
    control($path, @$then, gate => "$gate-rest");
    open_gate($gate);
    ok(wait_for("the others of $path", sub { arrived("$gate-rest") == 4 }), "$name: the others all at once");
    my @later = map { ask($target, host => 'wait.test') } 1 .. 3;
    ok(wait_for("later requests for $path", sub { arrived("$gate-rest") == 7 }),
        "$name: later requests do not wait");
    open_gate("$gate-rest");
    finish_all(@clients, @later);
    is(most_waits($mark), 1, "$name: nobody waited more than once");
    return;
}
{
    # stored, and too old for anybody but the one who fetched it
    my @old = (h => 'Age: 100', cc => 'max-age=60');
    in_vain('stale when it comes', '/330/old', \@old, @old);
}
{
    # this is remembered for a second only, in which a slow machine may not be through
    expect_log(qr/proxy_http:error|proxy:error/);
    my $path = '/330/cut';
    control($path, cc => 'max-age=600', body => 5_000, cut => 3_000, gate => '330-cut', at => 2_000);
    my $target = target($path);
    my $mark = log_mark();
    my @clients = gather($target, '330-cut', 5, host => 'wait.test');
    control($path, cc => 'max-age=600', gate => '330-cut-rest');
    open_gate('330-cut');
    ok(wait_for('the others', sub { arrived('330-cut-rest') == 4 }), 'broken off: the others all at once');
    open_gate('330-cut-rest');
    finish_all(@clients);
    is(most_waits($mark), 1, 'broken off: nobody waited more than once');
}

# ---- what nobody waits for -----------------------------------------------------------------------

{
    my $path = '/330/upgrade';
    my $target = target($path, cc => 'max-age=600', gate => '330-upgrade');
    my $mark = log_mark();
    my @clients = map { ask($target, headers => [ Upgrade => 'websocket' ]) } 1 .. 4;
    ok(wait_for('all at the origin', sub { arrived('330-upgrade') == 4 }), 'an upgrade: nobody waits');
    is(waiting($mark), 0, 'as the log says');
    open_gate('330-upgrade');
    finish_all(@clients);
}
{
    # a stream of events is told by its head, whatever it says of its freshness
    my $path = '/330/events';
    my $target = target($path, ct => 'text/event-stream; charset=utf-8', cc => 'max-age=600', chunked => 1,
        body => 2_000, gate => '330-events', at => 100);
    my @clients = map { ask($target) } 1 .. 4;
    ok(wait_for('all at the origin', sub { arrived('330-events') == 4 }), 'a stream of events: nobody waits');
    open_gate('330-events');
    finish_all(@clients);
    isnt(fetch($target)->cache, 'HIT', 'and it is not stored');
}
{
    # any other is one if it has no length and does not end
    my $path = '/330/stream';
    my $target = target($path, cc => 'max-age=600', chunked => 1, body => 2_000, gate => '330-stream',
        at => 100);
    my $mark = log_mark();
    my @clients = map { ask($target, host => 'collapse-short.test') } 1 .. 5;
    ok(wait_for('all at the origin', sub { arrived('330-stream') == 5 }),
        'no length, and no end for longer than CacheStorerCollapse: nobody waits');
    is(most_waits($mark), 1, 'more than once');
    open_gate('330-stream');
    finish_all(@clients);
    is_cache(fetch($target, host => 'collapse-short.test'), 'HIT', 'stored when it has ended after all');
}

# ---- a slow origin -------------------------------------------------------------------------------

{
    my $path = '/330/slow';
    my $target = target($path, cc => 'max-age=600', gate => '330-slow');
    my $mark = log_mark();
    my @clients = gather($target, '330-slow', 12, host => 'wait-second.test');
    ok(wait_for('two more', sub { arrived('330-slow') >= 3 }), 'slow: one more for each CacheStorerCollapse');
    open_gate('330-slow');
    finish_all(@clients);
    cmp_ok(requests($path), '<', 12, 'and not one for each client: ' . requests($path));
    is(most_waits($mark), 1, 'the others are served by the first that ends');
}

# ---- what a response varies on -------------------------------------------------------------------

{
    # the first wait tells what it varies on, the second one is for the own variant, and not in vain
    my $path = '/330/vary';
    my $target = target($path, cc => 'max-age=600', vary => 'X-Group', echo => 'X-Group', gate => '330-vary');
    my $mark = log_mark();
    my @clients = ask($target, headers => [ 'X-Group' => 0 ]);
    wait_for('the first variant', sub { arrived('330-vary') == 1 });
    push @clients, map { ask($target, headers => [ 'X-Group' => $_ % 2 ]) } 1 .. 7;
    wait_for('the others to wait', sub { waiting($mark) == 7 });
    open_gate('330-vary');
    finish_all(@clients);
    is(requests($path), 2, 'two variants: two fetches');
    cmp_ok(most_waits($mark), '<=', 2, 'and at most one wait that was not in vain behind another one');
}
{
    # negotiated by httpd: what it varies on is told by the response only, and names "negotiate" as well
    my $mark = log_mark();
    my @options = (host => 'local.test', headers => [ 'Accept-Language' => 'de' ]);
    control('/330/fragment', cc => 'max-age=600', gate => '330-negotiated', text => 'fragment');
    my @clients = ask('/330/page', @options);
    wait_for('the first of them', sub { arrived('330-negotiated') == 1 });
    push @clients, map { ask('/330/page', @options) } 2 .. 10;
    wait_for('the others to wait', sub { waiting($mark) == 9 });
    open_gate('330-negotiated');
    my @bodies = map { $_->answer->content } @clients;
    $_->close for @clients;
    is(scalar(grep { $_ eq "fragmentdeutsch\n" } @bodies), 10, 'MultiViews: 10 right answers');
    cmp_ok(requests('/330/fragment'), '<=', 2, 'one or two fetches');
    cmp_ok(most_waits($mark), '<=', 2, 'and no wait more than the one that told what it varies on');
    my $hit = fetch('/330/page', @options);
    is_cache($hit, 'HIT', 'stored');
    is($hit->header('ETag'), undef, 'without the ETag of the file, as it was sent');
}

finish();
