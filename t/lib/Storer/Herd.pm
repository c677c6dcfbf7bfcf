# SPDX-License-Identifier: Apache-2.0
#
# Storer::Herd - requests that are under way at the same time, for the tests of who fetches and who
# waits. The log tells who waits: CS0731 is a request that waits for another one's fetch.
package Storer::Herd;

use strict;
use warnings;

use Exporter 'import';
use Storer::Test;

our @EXPORT = qw(ask answer waiting gather);

# A request that has been sent and not been answered. headers, host: see Storer::Client
sub ask {
    my ($target, %option) = @_;
    my $connection = connection();
    $connection->send('GET', $target, headers => [ @{ delete $option{headers} || [] },
        Connection => 'close' ], %option);
    return $connection;
}

sub answer {
    my $connection = shift;
    my $response = $connection->answer;
    $connection->close;
    return $response;
}

# How many requests have begun to wait since a mark in the log.
sub waiting { return scalar(() = log_since(shift) =~ /CS0731: /g) }

# So many requests on one key: one is at the origin's gate, the others wait for it.
sub gather {
    my ($target, $gate, $count, %option) = @_;
    my $mark = log_mark();
    my @clients = ask($target, %option);
    wait_for("the first request for $target", sub { arrived($gate) == 1 });
    push @clients, map { ask($target, %option) } 2 .. $count;
    wait_for('the others to wait', sub { waiting($mark) == $count - 1 });
    return @clients;
}

1;
