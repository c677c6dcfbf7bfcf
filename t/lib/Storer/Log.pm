# SPDX-License-Identifier: Apache-2.0
#
# Storer::Log - what a server left in its error log, and who its children are. Used by Storer::Test
# and Storer::Stress.
package Storer::Log;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(read_from children_of unexpected_lines);

# The text of a file from an offset on; '' where there is none.
sub read_from {
    my ($file, $offset) = @_;
    open my $handle, '<', $file or return '';
    seek $handle, $offset, 0;
    local $/ = undef;
    my $text = <$handle>;
    return defined $text ? $text : '';
}

sub children_of {
    my $parent = shift;
    return split ' ', read_from("/proc/$parent/task/$parent/children", 0);
}

# A line that needs to be announced: above info from our module, above notice from any other, a
# child that died, or what no logger wrote.
sub _is_trouble {
    my $line = shift;
    return 0 if $line =~ /\A\s*\z/;
    # at each restart, of the virtual host whose point it is (430)
    return 0 if $line =~ m{\AAH00112: Warning: DocumentRoot \[/nonexistent/folder/};
    return 1 unless $line =~ /\A\[[^\]]+\] \[(\w*):(\w+)\] /;
    my ($module, $level) = ($1, $2);
    return 1 if $line =~ /exit signal|Assertion|AddressSanitizer|runtime error/;
    return 0 if $level =~ /\A(?:info|debug|trace\d)\z/;
    return $level ne 'notice' || $module eq 'cache_storer';
}

# The lines of a log from an offset on that nobody announced.
# expected: [{ pattern => qr//, seen => 0 }]; each is counted.
sub unexpected_lines {
    my ($file, $offset, $expected) = @_;
    my @unexpected;
    for my $line (split /\n/, read_from($file, $offset)) {
        my ($match) = grep { $line =~ $_->{pattern} } @$expected;
        $match->{seen}++ if $match;
        push @unexpected, $line if !$match && _is_trouble($line);
    }
    return @unexpected;
}

1;
