# SPDX-License-Identifier: Apache-2.0
#
# A plain hit is served without mod_cache's help (mod_cache_storer/hit.h). What the client gets and the log
# says is what mod_cache makes of the same entry, which serves it where the request has some directive.
use strict;
use warnings;

use Storer::Log;
use Storer::Test;
use Test::More;

my @host = (host => 'plain.test');
my @neutral = ('Cache-Control' => 'extension');

sub lines_of { return Storer::Log::read_from(vars->{t_logs} . "/$_[0]", 0) }

# How many responses have come out of mod_cache's own filter for hits.
sub by_mod_cache { my @found = lines_of('plain_log') =~ /running CACHE_OUT filter/g; return @found }

# Status and fields, as a text: in order of their names, and the lines of one name in theirs.
sub head_of {
    my $response = shift;
    my @fields = grep { $_->[0] !~ /\A(?:Date|Connection)\z/i } @{ $response->{headers} };
    my %order;
    push @{ $order{ $_->[0] } }, "$_->[0]: $_->[1]\n" for @fields;
    my $text = join '', $response->status, "\n", map { @{ $order{$_} } } sort keys %order;
    $text =~ s/^(Age: |.*; ttl=)\d+/$1N/gm; # they need not be of the same second
    return $text;
}

# Its age and what is left of its freshness: 0 where it has none.
sub ages_of {
    my $response = shift;
    my ($left) = ($response->header('Cache-Status') || '') =~ /ttl=(\d+)/;
    return ($response->header('Age') || 0, $left || 0);
}

my @fresh = (cc => 'max-age=600');
my @cases = (
    [ 'plain',         [ @fresh, etag => '"v1"', lm => 86_400 ] ],
    [ 's-maxage',      [ cc => 's-maxage=600, max-age=1', h => 'Age: 30' ] ],
    [ 'Expires',       [ expires => 600 ] ],
    [ 'an old one',    [ cc => 'max-age=200000', h => 'Age: 100000' ] ],
    [ 'a list of ages', [ @fresh, h => 'Age: 30, 40' ] ],
    [ 'a guess',       [ lm => 100 * 86_400, h => 'Age: 1000' ] ],
    [ 'an old guess',  [ lm => 100 * 86_400, h => 'Age: 90000' ] ],
    [ 'empty',         [ @fresh, body => 0 ] ],
    [ 'large',         [ @fresh, body => 300_000 ] ],
    [ 'chunked',       [ @fresh, body => 20_000, chunked => 1 ] ],
    [ 'chunked HEAD',  [ @fresh, body => 20_000, chunked => 1 ], [ method => 'HEAD' ] ],
    [ 'HEAD',          [ @fresh, etag => '"v1"' ], [ method => 'HEAD' ] ],
    [ 'a range',       [ @fresh, body => 20_000, etag => '"v1"' ], [], [ Range => 'bytes=5-9' ] ],
    [ 'ranges',        [ @fresh, body => 20_000 ], [], [ Range => 'bytes=30000-' ] ],
    [ 'chunked range', [ @fresh, body => 20_000, chunked => 1 ], [], [ Range => 'bytes=-9' ] ],
    [ 'not found',     [ @fresh, status => 404 ] ],
    [ 'moved',         [ @fresh, status => 301, h => 'Location: /055/elsewhere' ] ],
    [ 'gone',          [ @fresh, status => 410 ] ],
    [ 'unheard of',    [ @fresh, status => 299 ] ],
    [ 'a type',        [ @fresh, ct => 'image/x-test; a=b' ] ],
    [ 'lines',         [ @fresh, h => [ 'Link: <a>', 'X-A: 1', 'Link: <b>', 'Warning: 299 - "b"' ] ] ],
    [ 'a cookie',      [ @fresh, h => 'Set-Cookie: a=b' ] ],
    [ 'an encoding',   [ @fresh, h => [ 'Content-Encoding: x', 'Content-Language: de' ] ] ],
    [ 'varying',       [ @fresh, vary => 'X-Group', echo => 'X-Group' ], [], [ 'X-Group' => 'a' ] ],
    [ 'public',        [ cc => 'public, max-age=600' ], [], [ Authorization => 'Basic YTpi' ] ],
    [ 'another cache', [ @fresh, h => 'Cache-Status: Origin; hit' ] ],
);
my $number = 0;
for my $case (@cases) {
    my ($name, $parameters, $options, $headers) = @$case;
    my @options = (@host, @{ $options || [] });
    my @headers = @{ $headers || [] };
    my $path = '/055/' . $number++;

    control($path, @$parameters); # not in the URL: mod_cache guesses for none with a query
    fetch($path, @host, headers => [ grep { $_ ne 'Range' && !/\Abytes=/ } @headers ]);
    my $before = by_mod_cache();
    my $begin = time;
    my $plain = fetch($path, @options, headers => \@headers);
    my $handed_on = $name eq 'an old guess' ? 1 : 0; # mod_cache has a Warning for it
    is(by_mod_cache() - $before, $handed_on, "$name: mod_cache has served $handed_on");
    my $other = fetch($path, @options, headers => [ @headers, @neutral ]);
    is(by_mod_cache() - $before, $handed_on + 1, "$name: it has served another");
    is_cache($plain, $plain->status == 416 ? 'NONE' : 'HIT', $name); # httpd makes its own of that
    ok($plain->complete, "$name: whole");
    is($plain->content, $other->content, "$name: the same body");
    is(head_of($plain), head_of($other), "$name: the same fields");
    my ($age, $left) = ages_of($plain);
    my ($other_age, $other_left) = ages_of($other);
    my $elapsed = time - $begin + 1;
    ok($age <= $other_age && $other_age <= $age + $elapsed, "$name: the same age");
    ok($left >= $other_left && $other_left >= $left - $elapsed, "$name: as much is left");
    is(requests($path), 1, "$name: both from the cache");
    wait_for("$name in the log", sub { my @l = lines_of('plain_access') =~ m{ \Q$path\E$}gm; @l >= 3 });
    my @log = grep { m{ \Q$path\E$} } split /\n/, lines_of('plain_access');
    is($log[-2], $log[-1], "$name: the same log");
    like($log[-1], qr/\A\d+ cache hit cache hit - \d+ /, "$name: a hit in it");
}

# httpd's clock and mod_cache would make another date of these
for my $date ('Fri, 31 Dec 9999 23:59:59 GMT', 'yesterday') {
    my $target = target('/055/date', @fresh, h => "Last-Modified: $date", seed => $date);
    fetch($target, @host) for 1, 2;
    is(fetch($target, @host)->header('Last-Modified'), $date, "Last-Modified: $date, as it was sent");
}

# one connection, many hits: each ends where the next begins
my $connection = connection();
for my $round (1 .. 20) {
    my $path = '/055/' . ($round % 3 ? 0 : 8);
    my $response = $connection->request('GET', $path, @host);
    is_cache($response, 'HIT', "on a kept connection, $round");
    is_body($response, $path, size => $round % 3 ? 64 : 300_000);
}
$connection->close;

finish();
