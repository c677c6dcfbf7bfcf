# SPDX-License-Identifier: Apache-2.0
#
# Storer::Wait - waiting for a condition, for as long as it takes and not for ever.
package Storer::Wait;

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(until_true);

# What the code says as soon as that is true; nothing if it is not within so many seconds.
sub until_true {
    my ($seconds, $code) = @_;
    my $end = time + $seconds;
    while (time < $end) {
        my $result = $code->();
        return $result if $result;
        sleep 0.02;
    }
    return;
}

1;
