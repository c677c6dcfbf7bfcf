# SPDX-License-Identifier: Apache-2.0
#
# Storer::Document - the blocks of a document in Markdown: what is indented by four spaces behind an
# empty line, or stands between fences. Each is known by the document, the heading above it and its
# number below that heading: "README.md: Install it: 2".
#
# What a reader does not need to see stands in comments above a block: <!-- fresh: TEXT --> (t/fresh/run
# says which).
package Storer::Document;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(blocks_of kind_of commands_of exchanges_of);

# blocks_of($folder, 'docs/page.md'): each { key, info => what stands behind the fence, lines, marks }
sub blocks_of {
    my ($folder, $document) = @_;
    my (@blocks, $fence, $block, %count);
    my $heading = '';
    my $blank = 1;
    my @marks;
    my $new = sub {
        my $block = { key => "$document: $heading: " . ++$count{blocks}, info => shift, lines => [],
            marks => [ @marks ] };
        @marks = ();
        push @blocks, $block;
        return $block;
    };

    open my $handle, '<', "$folder/$document" or die "$folder/$document: $!\n";
    while (my $line = <$handle>) {
        chomp $line;
        if ($line =~ /^```(.*)/) {
            $fence = !$fence;
            $block = $fence ? $new->($1) : undef;
        }
        elsif ($fence || ($line =~ /^    \S/ && ($blank || $block))
            || ($block && $line =~ /^(?: {4}|\s*$)/)) {
            $block = $new->('') unless $block;
            $line =~ s/^ {4}// unless $fence;
            push @{ $block->{lines} }, $line;
        }
        else {
            $block = undef;
            ($heading, %count) = ($1) if $line =~ /^#+ +(.*)/;
            push @marks, $1 if $line =~ /^<!-- fresh: (.*) -->$/;
            die "$document: no block behind <!-- fresh: $marks[0] -->\n"
                if @marks && $line !~ /^(?:<!-- fresh: |\s*$)/;
        }
        $blank = $line =~ /^\s*$/ || $line =~ /^<!--/;
    }
    close $handle;
    for (@blocks) {
        pop @{ $_->{lines} } while @{ $_->{lines} } && $_->{lines}[-1] =~ /^\s*$/;
    }
    return @blocks;
}

# file: part of the file that the fence names; exchanges: commands behind "$", with what they print;
# configuration: httpd's; or commands.
sub kind_of {
    my $block = shift;
    return 'configuration' if $block->{info} =~ /^apache\b/;
    return 'file' if $block->{info} =~ /^\w+ \S/;
    return 'exchanges' if grep { /^\$ / } @{ $block->{lines} };
    return 'configuration' if $block->{lines}[0] =~ /^(?:<[A-Z]\w+|[A-Z]+[a-z]\w*\s+\S)/;
    return 'commands';
}

# The commands of a block: one a line, those that end with a backslash together with the next.
sub commands_of {
    my $block = shift;
    my @commands = ('');
    for my $line (@{ $block->{lines} }) {
        $commands[-1] .= "$line\n";
        push @commands, '' unless $line =~ /\\$/;
    }
    return grep { /\S/ } @commands;
}

# A block of "$ command" lines with what is printed below each: [ command, output ] of each.
sub exchanges_of {
    my $block = shift;
    my @exchanges;
    for my $line (@{ $block->{lines} }) {
        if ($line =~ /^\$ (.*)/) {
            push @exchanges, [ $1, '' ];
        }
        elsif (@exchanges) {
            $exchanges[-1][1] .= "$line\n";
        }
    }
    return @exchanges;
}

1;
