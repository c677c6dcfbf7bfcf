# SPDX-License-Identifier: Apache-2.0
#
# The admin API in a host whose DocumentRoot does not exist, as on a machine that has httpd's programs
# and none of its folders. Core then leaves a path_info that is longer than the request's path, and
# <Location "/"> is the last section that covers a request.
use strict;
use warnings;

use JSON::PP ();
use Storer::Test;
use Test::More;

my @host = (host => 'bare.test');

sub stored {
    my $target = target(shift, cc => 'max-age=600');
    fetch($target, @host);
    is_cache(fetch($target, @host), 'HIT', "$target is stored");
    return $target;
}

sub is_list {
    my ($response, $name) = @_;
    is($response->status, 200, "$name: 200");
    return eval { JSON::PP->new->decode($response->content) };
}

my $base = '/430/operations/cache';
my $kept = stored('/430/kept');
for my $path ($base, "$base/") {
    my $keys = is_list(fetch($path, @host), "GET $path");
    is(ref $keys, 'ARRAY', 'a list of keys');
    ok(scalar(grep { m{/430/kept} } @$keys), 'the stored URL is in it');
}
my $stats = is_list(fetch("$base/stats", @host), "GET $base/stats");
is(ref $stats, 'HASH', 'the counters, a resource below the path');
is(fetch("$base/430/absent", @host)->status, 404, 'a pattern that matches no URL');

for my $way ([ PURGE => "$base/gone" ], [ PURGE => "$base/flush" ]) {
    my ($method, $path) = @$way;
    my $target = stored('/430/gone');
    is(fetch($path, @host, method => $method)->status, 204, "$method $path");
    is_cache(fetch($target, @host), 'MISS', 'the URL is purged');
}

# Sections whose path is a pattern have no path of their own: the whole path is the API's.
my $whole = is_list(fetch('/430/operations/one', @host), 'in a <LocationMatch>');
is(ref $whole, 'ARRAY', 'a list of keys');
is(fetch('/430/operations/two/', @host)->status, 200, 'with a slash at the end');

finish();
