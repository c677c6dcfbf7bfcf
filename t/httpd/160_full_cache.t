# SPDX-License-Identifier: Apache-2.0
#
# A storage that is much too small: every response is right, whatever is evicted, and something is
# always kept.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @small = (host => 'small.test');

sub target_of {
    my ($n, $size) = @_;
    return target("/160/$n", body => $size, cc => 'max-age=600', vary => 'X-Group',
        echo => 'X-Group', $n % 3 ? () : (chunked => 1));
}

sub size_of { return (200, 3000, 20_000, 70_000, 150_000)[ $_[0] % 5 ] }

# several times what fits, each object twice in a row and in two variants
my ($bad, $hits, $kept) = (0, 0, 0);
my $connection = connection();
for my $round (1, 2) {
    for my $n (1 .. 150) {
        for my $group (qw(a b)) {
            my $want = body_of("/160/$n", size => size_of($n), variant => $group);
            for my $time (1, 2) {
                my $response = $connection->request(GET => target_of($n, size_of($n)),
                    @small, headers => [ 'X-Group' => $group ]);
                $bad++ if !$response->complete || $response->content ne $want;
                next if $response->cache ne 'HIT';
                $time == 1 ? $kept++ : $hits++;
            }
        }
    }
}
$connection->close;
is($bad, 0, 'every body is right');
is($hits, 600, 'what was just stored is there');
cmp_ok($kept, '<', 300, 'not everything can have stayed');

# an object that is asked for all the time
my $popular = target('/160/popular', body => 5000, cc => 'max-age=600');
my $misses = 0;
for my $n (1 .. 100) {
    $misses++ if fetch($popular, @small)->cache ne 'HIT';
    fetch(target_of(1000 + $n, 30_000), @small);
}
diag("a popular object in a full storage: $misses misses of 100");

# larger than a quarter, and larger than all of it: delivered, not kept
for my $size (300_000, '1M', '5M') {
    my $path = "/160/large/$size";
    from_origin($path, 2, "$size bytes, twice", sub {
        for (1, 2) {
            is_body(fetch(target($path, body => $size, cc => 'max-age=600'), @small), $path,
                size => $size);
        }
    });
}
for my $size (300_000, '5M') {
    my $path = "/160/large-chunked/$size";
    for (1, 2) {
        my $target = target($path, body => $size, cc => 'max-age=600', chunked => 1);
        is_body(fetch($target, @small), $path, size => $size);
    }
}
fetch($popular, @small);
is_cache(fetch($popular, @small), 'HIT', 'small objects can still be stored');

finish();
