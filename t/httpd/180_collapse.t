# SPDX-License-Identifier: Apache-2.0
#
# CacheStorerCollapse: however many ask for something that is not cached, one of them fetches it.
# The origin holds its answer back at a gate until all are there; that they wait is seen in the log.
use strict;
use warnings;

use Storer::Herd;
use Storer::Test;
use Test::More;

# ---- one fetch for all ---------------------------------------------------------------------------

{
    my $path = '/180/cold';
    my $target = target($path, body => 30_000, cc => 'max-age=600', gate => 'cold');
    my @clients = gather($target, 'cold', 20);
    open_gate('cold');
    my @responses = map { answer($_) } @clients;
    is(requests($path), 1, '20 cold requests: one fetch');
    is(scalar(grep { $_ && $_->status == 200 } @responses), 20, '20 answers');
    is_body($_, $path, size => 30_000) for @responses;
    is(scalar(grep { ($_->header('Cache-Status') || '') =~ /hit; .*collapsed/ } @responses), 19,
        '19 of them say that they were collapsed');
    unlike(fetch($target)->header('Cache-Status'), qr/collapsed/, 'a later hit was not');
}

# ---- variants ------------------------------------------------------------------------------------

{
    my $path = '/180/vary';
    my @groups = qw(a b c);
    my $target = target($path, cc => 'max-age=600', vary => 'X-Group', echo => 'X-Group',
        gate => 'vary');
    my $mark = log_mark();
    my @clients = ask($target, headers => [ 'X-Group' => 'a' ]);
    wait_for('the first variant', sub { arrived('vary') == 1 });
    push @clients, map { ask($target, headers => [ 'X-Group' => $groups[ $_ % 3 ] ]) } 1 .. 11;
    wait_for('the others to wait', sub { waiting($mark) == 11 });
    open_gate('vary');
    my @responses = map { answer($_) } @clients;
    is(requests($path), 3, '12 cold requests for 3 variants: three fetches');
    is_body($responses[$_], $path, variant => $groups[ $_ % 3 ], name => "client $_: its variant")
        for 0 .. 11;
}

# ---- what is not stored --------------------------------------------------------------------------

{
    my $path = '/180/nostore';
    my $target = target($path, cc => 'no-store', gate => 'nostore');
    my @clients = gather($target, 'nostore', 6);
    open_gate('nostore');
    is_body(answer($_), $path) for @clients;
    is(requests($path), 6, 'not to be stored: everybody fetches');

    # remembered: from now on nobody waits
    my $held = target('/180/remembered', cc => 'private', gate => 'remembered');
    my @held = gather($held, 'remembered', 3);
    open_gate('remembered');
    answer($_) for @held;
    control('/180/remembered', gate => 'remembered2', cc => 'private');
    @held = map { ask($held) } 1 .. 4;
    ok(wait_for('all of them at the origin', sub { arrived('remembered2') == 4 }),
        'remembered as not to be stored: nobody waits');
    open_gate('remembered2');
    is_body(answer($_), '/180/remembered') for @held;

    # ...until it is stored after all
    control('/180/remembered', cc => 'max-age=600');
    fetch($held);
    is_cache(fetch($held), 'HIT', 'stored after all');
}

# What of a crowd on one key is still to come once the first one is through comes at once: not one
# behind the other.
sub all_at_once {
    my ($name, $path, $host, @parameters) = @_;
    my ($first, $rest) = map { "$path/$_" =~ tr{/}{-}r } 1, 2;
    my $target = target($path);
    control($path, @parameters, gate => $first);
    my @clients = gather($target, $first, 4, $host ? (host => $host) : ());
    control($path, @parameters, gate => $rest);
    open_gate($first);
    ok(wait_for("all of $path at the origin", sub { arrived($rest) == 3 }), "$name: all at once");
    open_gate($rest);
    answer($_) for @clients;
    return;
}
all_at_once('an error page', '/180/error-page-for', 'collapse-errors.test', status => 404);
all_at_once('found too small at its end', '/180/too-small', 'limits.test', body => 50, chunked => 1,
    at => 20, cc => 'max-age=600');

# A 304 that contradicts what is stored makes mod_cache ask again: that says nothing of what it gets.
{
    my $path = '/180/contradiction';
    my $target = target($path);
    my @stale = (cc => 'max-age=60', etag => 'auto');
    control($path, @stale, h => [ 'Age: 100', 'Content-Language: en' ]);
    fetch($target);
    control($path, cc => 'max-age=60', status => 304, etag => '"another"', h => 'Age: 100');
    fetch($target);
    is(requests($path), 3, 'a 304 that contradicts: asked again');
    control($path, @stale, gate => 'contradiction');
    my @clients = gather($target, 'contradiction', 3);
    open_gate('contradiction');
    is(answer($_)->status, 200, 'later requests wait for each other') for @clients;
}

# Who has credentials and gets his own page says nothing about the others.
{
    my $path = '/180/credentials';
    my $target = target($path);
    control($path, cc => 'max-age=60, stale-while-revalidate=600', h => 'Age: 100');
    fetch($target);
    fetch($target, headers => [ Authorization => 'Basic YWxpY2U6YQ==' ]);
    is(requests($path), 2, 'one for all, and one with credentials');
    control($path, cc => 'max-age=600');
    fetch($target);
    ok(wait_for('the refresh', sub { requests($path) == 3 }), 'it is refreshed nevertheless');
    wait_for('its end', sub { fetch($target)->header('Cache-Status') =~ /ttl=[1-9]/ });
}

# Nor does a condition that fails, which the origin has to see.
for my $field ('If-Match', 'If-Unmodified-Since') {
    my $path = "/180/precondition/$field";
    my $target = target($path);
    control($path, status => 412);
    fetch($target, headers => [ $field => $field eq 'If-Match' ? '"x"'
        : 'Sat, 01 Jan 2000 00:00:00 GMT' ]);
    control($path, gate => $field, cc => 'max-age=600');
    my @clients = gather($target, $field, 3);
    open_gate($field);
    is(answer($_)->status, 200, "$field: the others") for @clients;
    is(requests($path), 2, "$field: are one fetch");
}

# ---- the leader is slow, or fails ----------------------------------------------------------------------------

{
    my $path = '/180/error';
    my $target = target($path, status => 500, gate => 'error', body => 10);
    my @clients = gather($target, 'error', 5);
    open_gate('error');
    is(answer($_)->status, 500, 'an error is passed on') for @clients;
    is(requests($path), 5, 'to everybody his own');
}
{
    my $path = '/180/slow';
    my $target = target($path, body => 20_000, cc => 'max-age=600', gate => 'slow', at => 5_000);
    my $mark = log_mark();
    my @clients = ask($target);
    wait_for('the first half', sub { arrived('slow') == 1 });
    push @clients, map { ask($target) } 1 .. 4;
    wait_for('the others to wait', sub { waiting($mark) == 4 });
    open_gate('slow');
    is_body(answer($_), $path, size => 20_000) for @clients;
    is(requests($path), 1, 'a slow body: still one fetch');
}

# ---- the leader is killed ------------------------------------------------------------------------

SKIP: {
    skip 'one process has all requests', 1 unless children() > 1;
    my $path = '/180/kill';
    my $target = target($path, body => 5_000, cc => 'max-age=600', gate => 'kill');
    my $mark = log_mark();
    my @clients = gather($target, 'kill', 16);
    my ($leader) = log_since($mark) =~ /\[pid (\d+)[^\n]*CS0732: [^\n]*\Q$path\E/;
    ok($leader, 'the log tells who fetches') or skip 'no leader', 1;
    kill KILL => $leader;
    ok(wait_for('the next one at the origin', sub { arrived('kill') == 2 }), 'another one fetches');
    control($path, body => 5_000, cc => 'max-age=600');
    open_gate('kill');
    my @answers = grep { $_ } map { answer($_) } @clients;
    is(requests($path), 2, 'one further fetch');
    is_body($_, $path, size => 5_000) for @answers;
    cmp_ok(scalar @answers, '>=', 1, 'those of other processes are served: ' . @answers);
}

# ---- who does not wait ---------------------------------------------------------------------------

{
    my $path = '/180/others';
    my $target = target($path, cc => 'max-age=600', gate => 'others');
    my @clients = gather($target, 'others', 2);
    my $only = fetch($target, headers => [ 'Cache-Control' => 'only-if-cached' ]);
    is($only->status, 504, 'only-if-cached does not wait');
    my $off = ask($target, host => 'collapse-off.test');
    ok(wait_for('the request of a server without', sub { arrived('others') == 2 }),
        'CacheStorerCollapse off');
    open_gate('others');
    is(answer($_)->status, 200, 'served') for @clients, $off;
}
{
    # not for ever
    my $path = '/180/timeout';
    my $target = target($path, cc => 'max-age=600', gate => 'timeout');
    my @clients = map { ask($target, host => 'collapse-short.test') } 1 .. 2;
    ok(wait_for('the second at the origin', sub { arrived('timeout') == 2 }),
        'the time to wait is over');
    open_gate('timeout');
    is(answer($_)->status, 200, 'served') for @clients;
}
{
    # a page whose parts are the same uncached thing: nobody waits for himself
    my $response = fetch('/180/twice.shtml', host => 'local.test');
    is($response->content, "one\none\n", 'a page with the same part twice');
}

finish();
