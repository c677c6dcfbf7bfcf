# SPDX-License-Identifier: Apache-2.0
#
# Storer::Apart - a Storer::Server in a process of its own, since Apache::Test knows one server only:
# for tests that need two. Ends with the object, or with this process.
package Storer::Apart;

use strict;
use warnings;

use IO::Handle;
use POSIX ();
use Storer::Server;

# The process: starts a server, tells its variables, and does what it is told, until its input ends.
sub _serve {
    my ($input, $output, %option) = @_;
    $SIG{INT} = $SIG{TERM} = 'IGNORE'; # the end of the input comes as well
    my $server = Storer::Server->new(%option);
    $server->start;
    my $vars = $server->vars;
    print $output map { "$_=$vars->{$_}\n" }
        grep { defined $vars->{$_} && !ref $vars->{$_} && $vars->{$_} !~ /\n/ } sort keys %$vars;
    print $output 'pid=' . $server->pid . "\n.\n";
    $output->flush;
    my $word = readline $input;
    my @wrong = $server->stop;
    print $output "$_\n" for @wrong;
    print $output ".\n";
    $output->flush;
    $server->remove(@wrong || ($word || '') =~ /failed/);
    return;
}

sub new {
    my ($class, %option) = @_;
    pipe my $in, my $to or die "pipe: $!\n";
    pipe my $from, my $out or die "pipe: $!\n";
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    if ($pid == 0) {
        close $to;
        close $from;
        open STDOUT, '>&', \*STDERR;
        eval { _serve($in, $out, %option); 1 } or print STDERR $@;
        POSIX::_exit(0);
    }
    close $in;
    close $out;
    $to->autoflush(1);
    my $self = bless { owner => $$, process => $pid, to => $to, from => $from, vars => {} }, $class;
    for my $line ($self->_answer) {
        my ($name, $value) = split /=/, $line, 2;
        $self->{vars}{$name} = $value;
    }
    die "httpd did not start\n" unless $self->{vars}{pid};
    return $self;
}

sub _answer {
    my $self = shift;
    my @lines;
    while (defined(my $line = readline $self->{from})) {
        chomp $line;
        last if $line eq '.';
        push @lines, $line;
    }
    return @lines;
}

sub vars { return $_[0]{vars} }
sub pid  { return $_[0]{vars}{pid} }

# @return what is wrong with its end, if anything. failed: keep its folder where STORER_KEEP is set
sub stop {
    my ($self, $failed) = @_;
    return if $self->{owner} != $$ || !$self->{process};
    local $SIG{PIPE} = 'IGNORE';
    my $to = $self->{to};
    print $to $failed ? "failed\n" : "well\n";
    close $to;
    my @wrong = $self->_answer;
    waitpid delete $self->{process}, 0;
    return @wrong;
}

sub DESTROY {
    my $self = shift;
    local ($?, $@, $!);
    $self->stop(1);
    return;
}

1;
