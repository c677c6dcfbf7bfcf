# SPDX-License-Identifier: Apache-2.0
#
# What one child stored, the others serve: hits by several processes, one request at the origin.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my $target = target('/020/shared', body => '10K', cc => 'max-age=600');
my @headers = (headers => [ 'X-Request' => 'children' ]);

# connections are kept open, so that under every MPM other processes take the next ones
my @connections;
my %pids;
from_origin('/020/shared', 1, 'all of them', sub {
    my $bad = 0;
    my $done = 0;
    is_cache(fetch($target), 'MISS', 'the first');
    while (keys %pids < 3 && $done < 64) {
        for (1 .. 4) {
            my $connection = connection();
            my $response = $connection->request(GET => $target, @headers);
            $bad++ if $response->content ne body_of('/020/shared', size => '10K');
            $bad++ if $response->cache ne 'HIT';
            $done++;
            push @connections, $connection;
            shift(@connections)->close if @connections > 16;
        }
        %pids = map { $_->[0] => 1 } access_lines('children', $done);
    }
    is($bad, 0, "$done requests: all hits, with the right body");
});
$_->close for @connections;
cmp_ok(scalar keys %pids, '>=', 2, 'answered by children ' . join ', ', sort keys %pids);

my %children = map { $_ => 1 } children();
is(scalar(grep { !$children{$_} } keys %pids), 0, 'all of them children of this server');

finish();
