# SPDX-License-Identifier: Apache-2.0
#
# Fetches behind an internal redirect: what the client's request began, the request that the redirect makes
# of it goes on with. Revalidation, ranges, conditions, waiting for each other, refreshes in the background,
# credentials, parts of pages.
use strict;
use warnings;

use HTTP::Date qw(time2str);
use Storer::Test;
use Test::More;

my $origin = '/313/front'; # of all pages

sub page { my $seed = shift; return target("/313/site/$seed", seed => $seed, body => 3000, @_) }

sub is_whole {
    my ($response, $seed, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_body($response, $origin, size => 3000, seed => $seed, name => $name);
}

for my $host ('fetch-quick.test', 'fetch-handler.test') {
    my @host = (host => $host);
    my $kind = $host =~ s/[.].*//r;

    # ---- a response that is asked about each time ------------------------------------------------

    {
        my $seed = "$kind-asked";
        my $target = page($seed, cc => 'no-cache, max-age=600', etag => 'auto');
        my $first = fetch($target, @host);
        is_cache($first, 'MISS', "$host: with no-cache");
        my $not_modified = not_modified($origin);
        for (1, 2) {
            my $response = fetch($target, @host);
            is_cache($response, 'REVALIDATE', 'it is asked about');
            is($response->status, 200, 'and the client, which has not asked so, gets no 304');
            is_whole($response, $seed, 'but all of it');
        }
        is(not_modified($origin) - $not_modified, 2, 'the origin has answered 304');
        my @condition = (headers => [ 'If-None-Match' => $first->header('ETag') ]);
        is(fetch($target, @host, @condition)->status, 304, 'a client that has it gets 304');
        @condition = (headers => [ 'If-None-Match' => '"another"' ]);
        is_whole(fetch($target, @host, @condition), $seed, 'one that has another one gets it');
        is_cache(fetch(page("$kind-other", cc => 'max-age=60'), @host), 'MISS', 'another page is another one');
    }

    # ---- a range and a condition on what is not cached ------------------------------------------------

    for my $case ([ Range => 'bytes=1000-1009', 206 ], [ 'If-Modified-Since' =>
            time2str(time - 3600), 304 ]) {
        my ($field, $value, $status) = @$case;
        my $seed = lc "$kind-$field";
        my $target = page($seed, cc => 'max-age=600', lm => 86_400);
        my $response = fetch($target, @host, headers => [ $field => $value ]);
        is($response->status, $status, "$host: $field on a page that is not cached");
        is($response->content, $status == 304 ? '' : substr(body_of($origin, size => 3000, seed => $seed),
            1000, 10), 'what it asked for');
        $response = fetch($target, @host);
        is_cache($response, 'HIT', 'and the page is stored');
        is_whole($response, $seed, 'all of it');
    }

    # ---- many at once ---------------------------------------------------------------------------------

    {
        my $seed = "$kind-crowd";
        my $target = page($seed, cc => 'max-age=600', gate => $seed);
        my $before = requests($origin);
        my @clients = map { connection()->send('GET', $target, @host, headers => [ Connection => 'close' ]) }
            1 .. 5;
        wait_for('one of them at the origin', sub { arrived($seed) });
        open_gate($seed);
        is_whole($_->answer, $seed, "$host: one of many") for @clients;
        is(requests($origin) - $before, 1, 'one fetch for all');
        is_cache(fetch($target, @host), 'HIT', 'and it is stored');
    }

    # ---- a refresh in the background ------------------------------------------------------------------

    {
        my $seed = "$kind-stale";
        my @stale = (cc => 'max-age=60, stale-while-revalidate=600');
        my $target = page($seed, @stale, h => 'Age: 100');
        fetch($target, @host);
        control($origin, cc => 'max-age=600', h => 'X-New: yes');
        is_whole(fetch($target, @host), $seed, "$host: served stale");
        ok(wait_for('the refresh', sub { (fetch($target, @host)->header('X-New') || '') eq 'yes' }),
            'and refreshed');
        is_whole(fetch($target, @host), $seed, 'under the same URL');
        control($origin);
    }

    # ---- requests that ask for something new, or for their own ----------------------------------------

    {
        my $seed = "$kind-reload";
        my $target = page($seed, cc => 'max-age=600');
        my $response = fetch($target, @host, headers => [ 'Cache-Control' => 'no-cache' ]);
        is_whole($response, $seed, "$host: a reload of a page that is not cached");
        is_cache(fetch($target, @host), 'HIT', 'is stored under its URL');
        my @credentials = (headers => [ Authorization => 'Basic YWxpY2U6YQ==' ]);
        my $own = page("$kind-own", cc => 'max-age=600', echo => 'Authorization');
        fetch($own, @host, @credentials);
        is_cache(fetch($own, @host), 'MISS', 'what is made for credentials is not stored');
        my $public = page("$kind-public", cc => 'public, max-age=600');
        fetch($public, @host, @credentials);
        is_cache(fetch($public, @host), 'HIT', 'unless it says public');
    }

    # ---- parts of a page --------------------------------------------------------------------------------

    for my $time (1, 2) {
        my ($one, $two) = fetch('/313/site/page.shtml', @host)->content =~ /<pre>(.*?)<\/pre>/sg;
        is($one, body_of($origin, size => 50), "$host: a part of a page, time $time");
        is($two, body_of($origin, size => 60), 'and another one');
    }
    is_cache(fetch('/313/site/part-b?body=60&cc=max-age=600', @host), 'HIT', 'which has its own URL');
}

finish();
