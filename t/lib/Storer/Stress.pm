# SPDX-License-Identifier: Apache-2.0
#
# Storer::Stress - a server under load: what steady and chaos in t/stress have in common.
#
#   STORER_MPM      worker
#   STORER_SECONDS  30
#   STORER_CLIENTS  200, STORER_URLS 2000
#   STORER_LOAD     the load client; else it is looked for in STORER_BUILD_DIR
package Storer::Stress;

use strict;
use warnings;

use FindBin;
use POSIX ();
use Storer::Log qw(children_of unexpected_lines);
use Storer::Server;
use Storer::Wait qw(until_true);
use Test::More;
use Time::HiRes qw(sleep time);

use constant HANG => 90;

# What must be 0 whatever happens to the server.
my @never = qw(wrong mixed short long failed malformed timeouts);
# What happens to connections when children are killed; refused is none, since the parent listens on.
my @connections = qw(broken lost refused);

sub new {
    my $class = shift;
    my $self = bless { owner => $$ }, $class;
    $self->{server} = Storer::Server->new(mpm => mpm(), templates => $FindBin::RealBin);
    $self->{seconds} = $ENV{STORER_SECONDS} || 30;
    $self->{load} = Storer::Server::find_program('STORER_LOAD', 't/stress/load');
    $self->{server}->start;
    $self->{log} = $self->{server}->vars->{t_logs} . '/error_log';
    $self->{log_start} = -s $self->{log} || 0;
    wait_until('four children', sub { $self->children >= 4 });
    return $self;
}

sub mpm    { return $ENV{STORER_MPM} || 'worker' }
sub server { return $_[0]{server} }
sub pid    { return $_[0]{server}->pid }

sub children {
    my $self = shift;
    return children_of($self->pid);
}

sub wait_until {
    my ($what, $code) = @_;
    return until_true(HANG, $code) ? 1 : fail("waited in vain for $what");
}

# Run the load client, calling $meanwhile (which is to take a second at most) until it ends. @return
# its counts
sub load {
    my ($self, $name, $meanwhile, @options) = @_;
    my $output = $self->{server}->vars->{t_logs} . '/load.out';
    my $start = time;
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    if ($pid == 0) {
        open STDOUT, '>', $output or POSIX::_exit(126);
        exec { $self->{load} } 'load', '-p', $self->{server}->vars->{port},
            '-c', $ENV{STORER_CLIENTS} || 200, '-u', $ENV{STORER_URLS} || 2000, @options
            or POSIX::_exit(127);
    }
    my $limit = $start + $self->{seconds} + HANG;
    while (waitpid($pid, 1) == 0) {
        if (time > $limit) {
            kill KILL => $pid;
            waitpid $pid, 0;
            fail("$name: the load client hangs");
            last;
        }
        $meanwhile->();
    }
    is($?, 0, "$name: the load client ended by itself");
    my %counts;
    if (open my $handle, '<', $output) {
        %counts = map { /\A(\w+)=(.*)/ ? ($1 => $2) : () } <$handle>;
    }
    diag("$name: " . join ' ', map { "$_=$counts{$_}" } grep { defined $counts{$_} }
        qw(requests seconds per_second hits misses revalidated bytes), @never, @connections);
    return \%counts;
}

# Every response was right; connections too, unless told otherwise.
sub is_clean {
    my ($self, $counts, $name, %option) = @_;
    # event ends idle connections when the threads of a child are all busy; the next request on such
    # a one is lost, and asked again
    my $may_end = $option{connections_end} ? 'broken|lost'
        : $self->mpm eq 'event' ? 'lost' : '-';
    is($counts->{$_}, 0, "$name: $_") for @never, grep { !/\A(?:$may_end)\z/ } @connections;
    cmp_ok($counts->{requests} || 0, '>', 0, "$name: there were responses");
    cmp_ok($counts->{hits} || 0, '>', ($counts->{requests} || 0) / 2, "$name: most of them hits");
    return;
}

# The last call: the log, and the end of everything. Patterns announce lines of the log.
sub finish {
    my ($self, @patterns) = @_;
    my @expected = map { { pattern => $_, seen => 0 } } @patterns;
    my @unexpected = unexpected_lines($self->{log}, $self->{log_start}, \@expected);
    ok(!@unexpected, 'nothing unexpected in the error log');
    diag($_) for @unexpected[0 .. ($#unexpected < 9 ? $#unexpected : 9)];
    diag(scalar(@unexpected) . ' lines in all') if @unexpected > 10;
    my @wrong = $self->{server}->stop;
    is("@wrong", '', 'the server ended well');
    done_testing();
    $self->{server}->remove(!Test::More->builder->is_passing);
    delete $self->{server};
    return;
}

sub DESTROY {
    my $self = shift;
    local ($?, $@);
    return if $self->{owner} != $$ || !$self->{server};
    $self->{server}->stop;
    $self->{server}->remove(1);
    return;
}

1;
