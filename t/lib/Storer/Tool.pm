# SPDX-License-Identifier: Apache-2.0
#
# Storer::Tool - storerctl, run by a test.
package Storer::Tool;

use strict;
use warnings;

use Exporter 'import';
use Storer::Test;

our @EXPORT = qw(tool_is_built run_tool);

my $tool = "$ENV{STORER_BUILD_DIR}/storerctl/storerctl";

sub tool_is_built { return -x $tool }

# Exit code, standard output and standard error.
sub run_tool {
    my @arguments = @_;
    my $errors = vars->{t_logs} . '/storerctl.err';
    my $pid = open my $pipe, '-|';
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        open STDERR, '>', $errors;
        delete @ENV{qw(STORERCTL_URL STORERCTL_USER http_proxy)};
        exec { $tool } $tool, @arguments or exit 127;
    }
    my $output = do { local $/ = undef; <$pipe> };
    close $pipe;
    my $status = $? >> 8;
    open my $handle, '<', $errors or die "$errors: $!";
    return ($status, defined $output ? $output : '', do { local $/ = undef; <$handle> } // '');
}

1;
