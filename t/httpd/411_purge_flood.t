# SPDX-License-Identifier: Apache-2.0
#
# Thousands of purges of what is not in the cache leave what is there alone: of unknown URLs, hard and
# softly, of unknown tags; and so do changes of URLs that were never cached.
use strict;
use warnings;

use Storer::Test;
use Test::More;

use constant HOT => 40;

my @host = (host => 'stats.test');
my @hot = map { target("/411/hot/$_", cc => 'max-age=600', body => 500,
    h => "Surrogate-Key:hot hot-$_") } 1 .. HOT;

sub hits { return scalar grep { $_ eq 'HIT' } map { fetch($_, @host)->cache || '' } @hot }

# Many requests over as few connections as the server allows.
sub flood {
    my ($method, $count, $target_of, @headers) = @_;
    my ($client, $done) = (undef, 0);
    for my $number (1 .. $count) {
        $client ||= connection();
        my $response = $client->request($method, $target_of->($number), @host, headers => \@headers,
            $method eq 'POST' ? (body => 'x=1') : ());
        if (!$response || ($response->header('Connection') || '') =~ /close/i) {
            $client->close;
            undef $client;
        }
        $done++ if $response;
    }
    $client->close if $client;
    return $done;
}

sub purge_tags {
    my ($message) = @_;
    return fetch('/cache-admin', @host, method => 'POST', body => $message,
        headers => [ 'Content-Type' => 'application/json' ])->status;
}

fetch($_, @host) for @hot;
is(hits(), HOT, 'the hot set is stored');

is(flood('PURGE', 5000, sub { "/411/unknown/$_[0]" }), 5000, '5000 times PURGE of an unknown URL');
is(hits(), HOT, 'the hot set is there');
is(flood('PURGE', 5000, sub { "/411/softly/$_[0]" }, 'Soft-Purge' => 1), 5000, '5000 soft ones');
is(hits(), HOT, 'the hot set is there');
is(flood('POST', 2000, sub { "/411/posted/$_[0]" }), 2000, '2000 times POST to an unknown URL');
is(hits(), HOT, 'the hot set is there');
for my $kind ('true', 'false') {
    for my $round (1 .. 4) {
        my $tags = join ',', map { qq("tag-$kind-$round-$_") } 1 .. 3000;
        is(purge_tags(qq({"type":"group","purge":$kind,"selectors":[$tags]})), 200,
            "3000 purges of unknown tags, hard: $kind");
    }
    is(hits(), HOT, 'the hot set is there');
}

# and a purge still does what it says
is(purge_tags('{"type":"group","selectors":["hot-7"]}'), 200, 'a purge of one tag');
is(flood('PURGE', 5000, sub { "/411/more/$_[0]" }), 5000, 'and 5000 of unknown URLs');
is_cache(fetch($hot[6], @host), 'MISS', 'what had the tag is purged');
is(hits(), HOT, 'and the others are there');
is(purge_tags('{"type":"group","selectors":["hot"]}'), 200, 'a purge of the tag of all');
is(hits(), 0, 'purges them all');

finish();
