# SPDX-License-Identifier: Apache-2.0
#
# Reloads (Cache-Control: no-cache or max-age=0, Pragma: no-cache) of one URL are one fetch: what is
# fetched after a request came is not older than the request. They do not follow a fetch of before.
use strict;
use warnings;

use Storer::Herd;
use Storer::Test;
use Test::More;

my %reload = (
    'no-cache' => [ 'Cache-Control' => 'no-cache' ],
    'max-age'  => [ 'Cache-Control' => 'max-age=0' ],
    'pragma'   => [ Pragma => 'no-cache' ],
    'browser'  => [ 'Cache-Control' => 'no-cache', Pragma => 'no-cache' ],
);
for my $name (sort keys %reload) {
    for my $host ('127.0.0.1', 'slow.test') {
        my $path = "/334/$host/$name";
        my $target = target($path, body => 3_000, cc => 'max-age=600', etag => 'auto');
        my @option = (host => $host, headers => $reload{$name});
        fetch($target, host => $host);
        is_cache(fetch($target, host => $host), 'HIT', "$name, $host: cached");
        control($path, body => 3_000, cc => 'max-age=600', etag => 'auto', seed => 2,
            gate => "334-$host-$name");
        my @clients = gather($target, "334-$host-$name", 20, @option);
        open_gate("334-$host-$name");
        my @answers = map { answer($_) } @clients;
        is(scalar(grep { $_ && $_->status == 200 && $_->header('X-Seed') eq '2' } @answers), 20,
            "$name, $host: 20 reloads get what is new");
        is(requests($path), 2, "$name, $host: by one fetch");
        like(last_request($path), $name eq 'pragma' ? qr/^Pragma: no-cache\r?$/m
            : qr/^Cache-Control: (?:no-cache|max-age=0)\r?$/m, "$name, $host: the origin knows what it is");
        fetch($target, @option);
        is(requests($path), 3, "$name, $host: a later reload is a fetch of its own");
    }
}

# a reload asks for what is stored to be confirmed, or for all of it
{
    my $path = '/334/confirmed';
    my $target = target($path, cc => 'max-age=600', etag => 'auto');
    fetch($target);
    my $status = fetch($target, headers => [ 'Cache-Control' => 'max-age=0' ])->header('Cache-Status');
    is(not_modified($path), 1, 'max-age=0: confirmed by a 304');
    like($status, qr/fwd=request/, 'as Cache-Status says');
    $status = fetch($target, headers => [ 'Cache-Control' => 'no-cache' ])->header('Cache-Status');
    unlike(last_request($path), qr/^If-None-Match:/m, 'no-cache: all of it');
    like($status, qr/fwd=request; stored/, 'as Cache-Status says');
}

# what was asked for before the request came may be older
{
    my $path = '/334/earlier';
    my $target = target($path, cc => 'max-age=600', gate => '334-earlier');
    my $earlier = ask($target);
    wait_for('the earlier request', sub { arrived('334-earlier') == 1 });
    my $reload = ask($target, headers => [ 'Cache-Control' => 'no-cache' ]);
    ok(wait_for('the reload', sub { arrived('334-earlier') == 2 }), 'an earlier fetch is not followed');
    open_gate('334-earlier');
    is(answer($_)->status, 200, 'answered') for $earlier, $reload;
}

# and what is not stored is everybody's own
{
    my $path = '/334/private';
    my $target = target($path);
    control($path, cc => 'private', gate => '334-private');
    my @option = (headers => $reload{'no-cache'});
    my @clients = gather($target, '334-private', 4, @option);
    control($path, cc => 'private', gate => '334-private-rest');
    open_gate('334-private');
    ok(wait_for('the others', sub { arrived('334-private-rest') == 3 }), 'not stored: all at once');
    my @later = map { ask($target, @option) } 1 .. 3;
    ok(wait_for('later ones', sub { arrived('334-private-rest') == 6 }), 'and later ones do not wait');
    open_gate('334-private-rest');
    answer($_) for @clients, @later;
}

# without collapsing all is as mod_cache has it
{
    my $path = '/334/off';
    my @host = (host => 'collapse-off.test');
    my $target = target($path, cc => 'max-age=600');
    fetch($target, @host) for 1 .. 2;
    fetch($target, @host, headers => $_) for @reload{qw(no-cache max-age pragma)};
    is(requests($path), 4, 'CacheStorerCollapse off: each reload is a fetch');
}

finish();
