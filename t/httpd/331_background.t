# SPDX-License-Identifier: Apache-2.0
#
# Background requests do not hold up one another, nor anybody else: those of one virtual host that hang do
# not stop those of others, and what waits in the queue leads nothing. Also who starts them: parts of a
# page, and requests whose directives are ignored.
use strict;
use warnings;

use Storer::Herd;
use Storer::Test;
use Test::More;

my @stale = (h => 'Age: 100', cc => 'max-age=60, stale-while-revalidate=600', etag => 'auto');

# ---- many that hang ------------------------------------------------------------------------------

SKIP: {
    # without threads each refresh has a child of its own, and there is no queue
    skip 'prefork', 4 if $ENV{STORER_MPM} eq 'prefork';
    my @paths = map { "/331/hang/$_" } 1 .. 60;
    fetch(target($_, @stale)) for @paths;
    control($_, cc => 'max-age=600', gate => '331-hang') for @paths;
    fetch(target($_, @stale)) for @paths;
    wait_for('some of them', sub { arrived('331-hang') >= 1 });

    my $other = '/331/other';
    my @host = (host => 'swr-default.test');
    fetch(target($other, @stale), @host);
    control($other, seed => 2, cc => 'max-age=600');
    fetch(target($other, @stale), @host);
    ok(wait_for('the other one', sub { fetch(target($other, @stale), @host)->header('X-Seed') eq '2' }),
        'refreshes that hang do not stop those of another virtual host');

    cmp_ok(arrived('331-hang'), '<', 60, 'some of them wait in the queue: ' . (60 - arrived('331-hang')));
    # a refresh that leaves the queue now may be waited for: those that may run are to hang already
    my ($hanging, $same) = (0, 0);
    wait_for('the refreshes that may run to hang', sub {
        my $now = arrived('331-hang');
        $same = $now == $hanging ? $same + 1 : 0;
        $hanging = $now;
        return $same >= 50;
    });
    my $mark = log_mark();
    my $begin = arrived('331-hang');
    my @clients = map { ask(target($_, @stale), headers => [ 'Cache-Control' => 'max-age=10' ]) }
        @paths[ 50 .. 59 ];
    ok(wait_for('all of them at the origin', sub { arrived('331-hang') >= $begin + 10 }),
        'who wants something newer than what the queue has fetches it at once');
    is(waiting($mark), 0, 'nobody waits for the queue');
    open_gate('331-hang');
    $_->answer && $_->close for @clients;
    wait_for('all of them', sub {
        !grep { requests($_) < 2 } @paths;
    });
}

# ---- who starts one ------------------------------------------------------------------------------

{
    # a fragment that is asked for by pages only
    my @host = (host => 'local.test');
    my $path = '/331/part';
    control($path, h => 'Age: 100', cc => 'max-age=60, stale-while-revalidate=600', text => 'old');
    is(fetch('/331/page.shtml', @host)->content, "old\n", 'a page with a fragment');
    control($path, cc => 'max-age=600', text => 'new');
    is(fetch('/331/page.shtml', @host)->content, "old\n", 'the fragment is served stale');
    ok(wait_for('the refresh', sub { fetch('/331/page.shtml', @host)->content eq "new\n" }),
        'and refreshed');
    is(requests($path), 2, 'by one request');
}
for my $directive ('no-cache', 'max-age=0', 'no-store') {
    my $path = "/331/ignored/$directive";
    my $target = target($path, @stale);
    my @option = (host => 'ignore-control.test', headers => [ 'Cache-Control' => $directive ]);
    fetch($target, @option);
    control($path, seed => 2, cc => 'max-age=600', gate => "331-$directive");
    is(fetch($target, @option)->header('X-Seed'), 1,
        "CacheIgnoreCacheControl and $directive: served stale at once");
    ok(wait_for('the refresh', sub { arrived("331-$directive") == 1 }), 'and refreshed');
    open_gate("331-$directive");
    wait_for('its end', sub { fetch($target, @option)->header('X-Seed') eq '2' });
}

finish();
