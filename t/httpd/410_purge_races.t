# SPDX-License-Identifier: Apache-2.0
#
# What was fetched before a change or a purge is not a hit after it (RFC 9111 section 4.4), even if it was
# still being fetched: the origin holds the response back at a gate while the change is made.
use strict;
use warnings;

use Storer::Herd;
use Storer::Test;
use Test::More;

my @host = (host => 'stats.test');

sub admin {
    my ($message) = @_;
    return fetch('/cache-admin', @host, method => 'POST', body => $message,
        headers => [ 'Content-Type' => 'application/json' ]);
}

# A GET that is held at a gate, in front of its head or in its body, while $change runs; then one more.
# $stays: that one is a hit.
sub race {
    my ($name, $path, $at, $change, %option) = @_;
    my @other = @{ $option{query} || [] };
    my $gate = "race $path";
    my @stored = (cc => 'max-age=600', etag => 'auto', body => 3000);
    my $target = target($path, @stored, @other);
    if ($option{before}) {
        $option{before}->($target);
    }
    control($path, @stored, gate => $gate, at => $at);
    my $client = connection()->send('GET', $target, @host);
    wait_for("the fetch of $path", sub { arrived($gate) == 1 });
    control($path, @stored, seed => 2);
    $change->($target, $path);
    open_gate($gate);
    is($client->answer->status, 200, "$name: the client that waits gets its response");
    $client->close;
    my $next = fetch($target, @host);
    is_cache($next, $option{stays} ? 'HIT' : 'MISS', "$name: the next request is "
        . ($option{stays} ? 'a hit' : 'none'));
    is_body($next, $path, size => 3000, seed => $option{stays} ? 1 : 2, name => "$name: its body");
    control($path, @stored, seed => 3);
    is_cache(fetch($target, @host), 'HIT', "$name: and is stored");
    return;
}

my %at = (head => 0, body => 1000);

for my $where (sort keys %at) {
    for my $method (qw(POST PUT DELETE)) {
        race("$method, $where", "/410/$method-$where", $at{$where}, sub {
            is(fetch($_[0], @host, method => $method, body => 'x=1')->status, 200, "$method while GET "
                . "waits for its $where");
        });
    }
}

# ---- other ways to make a URL invalid ------------------------------------------------------------

race('Location', '/410/location', 0, sub {
    my ($target) = @_;
    is(fetch(target('/410/poster', status => 201, h => "Location:$target"), @host, method => 'POST',
        body => 'x=1')->status, 201, 'a POST elsewhere that names it in Location');
});
race('a redirect', '/410/redirect', 0, sub {
    my ($target, $path) = @_;
    control($path, status => 303, h => 'Location:/410/elsewhere');
    is(fetch($target, @host, method => 'POST', body => 'x=1')->status, 303, 'a POST that is redirected');
    control($path, cc => 'max-age=600', etag => 'auto', body => 3000, seed => 2);
});
race('a POST that fails', '/410/failed', 0, sub {
    my ($target, $path) = @_;
    control($path, status => 500);
    is(fetch($target, @host, method => 'POST', body => 'x=1')->status, 500, 'a POST that fails');
    control($path, cc => 'max-age=600', etag => 'auto', body => 3000, seed => 2);
}, stays => 1);
race('another URL', '/410/another', 0, sub {
    is(fetch(target('/410/the-other', cc => 'max-age=600'), @host, method => 'POST',
        body => 'x=1')->status, 200, 'a POST to another URL');
}, stays => 1);

# ---- purges --------------------------------------------------------------------------------------

for my $where (sort keys %at) {
    my $n = $where;
    race("PURGE, $n", "/410/purge-$n", $at{$where}, sub {
        is(fetch($_[0], @host, method => 'PURGE')->status, 404, 'PURGE while it is fetched');
    });
    race("Soft-Purge, $n", "/410/soft-$n", $at{$where}, sub {
        is(fetch($_[0], @host, method => 'PURGE', headers => [ 'Soft-Purge' => 1 ])->status, 404,
            'a soft one');
    });
    race("a prefix, $n", "/410/prefix-$n", $at{$where}, sub {
        is(admin(qq({"type":"uri-prefix","selectors":["http://stats.test$_[1]"]}))->status, 200,
            'a purge by prefix');
    });
    race("a pattern, $n", "/410/pattern-$n", $at{$where}, sub {
        is(admin(qq({"type":"pattern","selectors":["$_[1]"]}))->status, 200, 'by pattern');
    });
    race("a tag, $n", "/410/tag-$n", $at{$where}, sub {
        is(admin(qq({"type":"group","selectors":["t-$n"]}))->status, 200, 'by tag');
    }, query => [ h => "Surrogate-Key:t-$n" ]);
}
race('another tag', '/410/other-tag', 0, sub {
    is(admin('{"type":"group","selectors":["no-such-tag"]}')->status, 200, 'a purge of another tag');
}, stays => 1);

# ---- others wait for the fetch meanwhile ---------------------------------------------------------

# They begin a fetch of their own after the change: one for all of them, which is stored.
for my $way (qw(POST PURGE)) {
    my $path = "/410/herd-$way";
    my @stored = (cc => 'max-age=600', body => 3000);
    my $target = target($path, @stored);
    control($path, @stored, gate => $path);
    my @clients = gather($target, $path, 6);
    control($path, @stored, seed => 2);
    fetch($target, method => $way, body => 'x=1');
    my $before = requests($path);
    open_gate($path);
    my @seeds = map { answer($_)->header('X-Seed') } @clients;
    is(shift @seeds, 1, "$way while five others wait: the first gets what it has asked for");
    is("@seeds", '2 2 2 2 2', "$way: the others get what is there now");
    is(requests($path) - $before, 1, "$way: which is fetched once");
    is_cache(fetch($target), 'HIT', "$way: and is stored");
}

# ---- what is stored is confirmed, or refreshed ---------------------------------------------------

# A revalidation is on its way; the change comes before the 304 does.
{
    my ($path, $gate) = ('/410/confirmed', 'race confirmed');
    my @stale = (cc => 'max-age=600', h => 'Age:700', etag => 'auto', body => 500);
    my $target = target($path, @stale);
    fetch($target, @host);
    control($path, cc => 'max-age=600', etag => 'auto', body => 500, gate => $gate);
    my $client = connection()->send('GET', $target, @host);
    wait_for('the revalidation', sub { arrived($gate) == 1 });
    control($path, cc => 'max-age=600', etag => 'auto', body => 500);
    is(fetch($target, @host, method => 'POST', body => 'x=1')->status, 200, 'POST during a revalidation');
    control($path, cc => 'max-age=600', etag => 'auto', body => 500, seed => 2);
    open_gate($gate);
    is($client->answer->status, 200, 'its client is served');
    $client->close;
    is_body(fetch($target, @host), $path, size => 500, seed => 2, name => 'and nobody after it');
}
{
    my ($path, $gate) = ('/410/refreshed', 'race refreshed');
    my @stale = (cc => 'max-age=600, stale-while-revalidate=9999', etag => 'auto', body => 500);
    my $target = target($path, @stale, h => 'Age:700');
    fetch($target, @host);
    control($path, @stale, gate => $gate);
    is_body(fetch($target, @host), $path, size => 500, name => 'stale, while it is refreshed');
    wait_for('the refresh', sub { arrived($gate) == 1 });
    control($path, @stale);
    is(fetch($target, @host, method => 'POST', body => 'x=1')->status, 200, 'POST during a refresh');
    control($path, @stale, seed => 2);
    my $mark = log_mark();
    open_gate($gate);
    wait_for('the end of the refresh', sub {
        log_since($mark) =~ /CS04\d\d: [^\n]*\Q$path\E/;
    });
    is_body(fetch($target, @host), $path, size => 500, seed => 2, name => 'what it brings is not used');
}

finish();
