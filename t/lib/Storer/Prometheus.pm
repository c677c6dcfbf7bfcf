# SPDX-License-Identifier: Apache-2.0
#
# Storer::Prometheus - reads the text format 0.0.4 of Prometheus, and is as strict as `promtool check
# metrics`: everything that a scraper would refuse or a reviewer would object to is a problem.
package Storer::Prometheus;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(read_metrics);

my $NAME = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $LABEL = qr/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/;
my $VALUE = qr/[-+]?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Inf|NaN)/;

# The metric a sample belongs to: a histogram's has three kinds.
sub _family {
    my ($name, $types) = @_;
    return $name if $types->{$name};
    return $name =~ /\A(.*)_(?:bucket|sum|count)\z/ && ($types->{$1} || '') eq 'histogram' ? $1 : undef;
}

sub _check_name {
    my ($name, $type) = @_;
    return "$name: a counter's name ends with _total"
        if $type eq 'counter' && $name !~ /_total\z/;
    return "$name: only a counter's name ends with _total"
        if $type ne 'counter' && $name =~ /_total\z/;
    return "$name: not in base units" if $name =~ /_(?:ms|us|milliseconds|kb|mb|kilobytes)(?:_|\z)/i;
    return;
}

# Buckets grow, end with +Inf, and agree with the count.
sub _check_histograms {
    my ($samples, $types) = @_;
    my (%last, %count, %bound, @problems);
    for my $sample (@$samples) {
        my ($name, $labels, $value) = @$sample;
        my %labels = %$labels;
        my $bound = delete $labels{le};
        my $family = _family($name, $types);
        next unless ($types->{$family} || '') eq 'histogram';
        my $key = join ',', $family, map { "$_=$labels{$_}" } sort keys %labels;
        if ($name =~ /_bucket\z/) {
            my $number = $bound eq '+Inf' ? 9**9**9 : $bound;
            push @problems, "$key: bounds do not grow"
                if defined $bound{$key} && $number <= $bound{$key};
            push @problems, "$key: a bucket is smaller than that before" if $value < ($last{$key} || 0);
            ($bound{$key}, $last{$key}) = ($number, $value);
        }
        $count{$key} = $value if $name =~ /_count\z/;
    }
    for my $key (keys %bound) {
        push @problems, "$key: no bucket +Inf" unless $bound{$key} == 9**9**9;
        push @problems, "$key: the count is not that of the last bucket"
            unless defined $count{$key} && $count{$key} == $last{$key};
    }
    return @problems;
}

# Returns { 'name{label="value",...}' => value } and what is wrong, a line each.
sub read_metrics {
    my $text = shift;
    my (%types, %help, %seen, %value, @samples, @problems, $current);
    push @problems, 'the last line does not end' unless $text =~ /\n\z/;
    for my $line (split /\n/, $text) {
        if ($line =~ /\A# HELP ($NAME) (.+)\z/) {
            push @problems, "$1: two HELP lines" if $help{$1}++;
        }
        elsif ($line =~ /\A# TYPE ($NAME) (counter|gauge|histogram|summary|untyped)\z/) {
            push @problems, "$1: two TYPE lines" if $types{$1};
            push @problems, "$1: TYPE without HELP" unless $help{$1};
            push @problems, "$1: TYPE after its samples" if $seen{$1};
            push @problems, _check_name($1, $2);
            $types{$1} = $2;
            $current = $1;
        }
        elsif ($line =~ /\A(?<name>$NAME)(?:\{(?<labels>(?:$LABEL,?)*)\})? (?<value>$VALUE)\z/) {
            my ($name, $labels, $value) = ($+{name}, $+{labels}, $+{value});
            my (%labels, $family);
            $labels = '' unless defined $labels;
            push @problems, "$line: a trailing comma" if $labels =~ /,\z/;
            while ($labels =~ /$LABEL/g) {
                push @problems, "$line: the label $1 twice" if exists $labels{$1};
                $labels{$1} = $2;
            }
            $family = _family($name, \%types);
            if (!defined $family) {
                push @problems, "$line: no TYPE";
                next;
            }
            push @problems, "$line: not with the others of $family" if $family ne $current;
            push @problems, "$line: negative" if $value =~ /\A-/ && $types{$family} ne 'gauge';
            my $key = $name . ($labels eq '' ? '' : "{$labels}");
            push @problems, "$key: twice" if exists $value{$key};
            $value{$key} = $value;
            $seen{$family} = 1;
            push @samples, [ $name, \%labels, $value ];
        }
        else {
            push @problems, "not a line of the format: $line";
        }
    }
    push @problems, map { "$_: no samples" } grep { !$seen{$_} } keys %types;
    push @problems, _check_histograms(\@samples, \%types);
    return (\%value, @problems);
}

1;
