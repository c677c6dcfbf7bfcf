# SPDX-License-Identifier: Apache-2.0
#
# Storer::Redis - a Redis server of the test's own: a folder, a free port of 127.0.0.1 and a unix
# socket; ended, by its pid, with the object. Speaks to it without any library.
package Storer::Redis;

use strict;
use warnings;

use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use constant PATIENCE => 30;

# One program under several names; which it is, it tells by the name it is called by.
sub program {
    for my $name (qw(redis-server redis-check-rdb)) {
        for my $folder (split /:/, $ENV{PATH}) {
            return "$folder/$name" if -x "$folder/$name";
        }
    }
    return;
}

# new(password => TEXT, options => [ further ones of the command line ])
sub new {
    my ($class, %option) = @_;
    my $self = bless { owner => $$, %option }, $class;

    $self->{folder} = tempdir('storer-redis-XXXXXX', TMPDIR => 1, CLEANUP => 0);
    chmod 0755, $self->{folder};
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', Proto => 'tcp')
        or die "no free port: $!\n";
    $self->{port} = $socket->sockport;
    close $socket;
    $self->start;
    return $self;
}

sub port   { return $_[0]{port} }
sub socket { return "$_[0]{folder}/redis.sock" }
sub pid    { return $_[0]{pid} }

sub start {
    my $self = shift;
    my @command = ('redis-server', '--port', $self->{port}, '--bind', '127.0.0.1',
        '--dir', $self->{folder}, '--unixsocket', $self->socket, '--unixsocketperm', 777,
        '--save', '', '--appendonly', 'no', '--logfile', 'redis.log', '--daemonize', 'no',
        (defined $self->{password} ? ('--requirepass', $self->{password}) : ()),
        @{ $self->{options} || [] });
    $self->{pid} = fork;
    die "fork: $!\n" unless defined $self->{pid};
    if ($self->{pid} == 0) {
        open STDOUT, '>', '/dev/null';
        { no warnings 'exec'; exec { program() } @command; }
        POSIX::_exit(127);
    }
    my $end = time + PATIENCE;
    until (eval { $self->ask('PING') eq 'PONG' }) {
        die "redis-server does not come up\n"
            if time > $end || waitpid($self->{pid}, WNOHANG) != 0;
        sleep 0.02;
    }
    return;
}

sub signal {
    my ($self, $name) = @_;
    kill $name => $self->{pid} or die "kill: $!\n";
    return;
}

# SIGKILL: what it had is gone.
sub end {
    my $self = shift;
    return unless $self->{pid};
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    $self->{pid} = 0;
    return;
}

sub _read_line {
    my $socket = shift;
    my $line = readline $socket;
    die "no answer from Redis\n" unless defined $line;
    $line =~ s/\r\n\z//;
    return $line;
}

sub _read_answer {
    my $socket = shift;
    my $line = _read_line($socket);
    my $type = substr $line, 0, 1, '';

    die "Redis: $line\n" if $type eq '-';
    return $line if $type eq '+' || $type eq ':';
    if ($type eq '$') {
        return if $line < 0;
        my $length = read $socket, my $text, $line + 2;
        die "a short answer from Redis\n" if $length != $line + 2;
        return substr $text, 0, $line;
    }
    return [ map { _read_answer($socket) } 1 .. $line ];
}

# One command on a connection of its own: a string, a number, or a list.
sub ask {
    my ($self, @words) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port})
        or die "no connection to Redis: $!\n";
    my @commands = (defined $self->{password} ? [ 'AUTH', $self->{password} ] : (), \@words);
    my $answer;

    binmode $socket;
    for my $command (@commands) {
        print $socket '*' . @$command . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @$command;
        $socket->flush;
        $answer = _read_answer($socket);
    }
    close $socket;
    return $answer;
}

sub DESTROY {
    my $self = shift;
    local ($?, $@, $!);
    return if $self->{owner} != $$;
    $self->end;
    remove_tree($self->{folder});
    return;
}

1;
