# SPDX-License-Identifier: Apache-2.0
#
# Storer::Machine - a machine in a folder: files, commands and processes of the root that build/fresh has
# made. This program runs outside of it, in its namespaces; each command in it, in a login shell of
# a user.
package Storer::Machine;

use strict;
use warnings;

use POSIX qw(WNOHANG);
use Storer::Wait qw(until_true);
use Test::More;
use Time::HiRes qw(sleep time);

use constant PATIENCE => 120;

# root => FOLDER, environment => { name => value } of each shell, limit => seconds of one command
sub new {
    my ($class, %option) = @_;
    my $self = bless { %option, folder => '/' }, $class;
    $self->{own} = { map { $_ => 1 } $self->processes };
    $self->{files} = { map { $_ => 1 } $self->temporary_files };
    return $self;
}

# Where the shell is, and stays from one command to the next.
sub folder {
    my ($self, $folder) = @_;
    $self->{folder} = $folder if defined $folder;
    return $self->{folder};
}

# ---- files ---------------------------------------------------------------------------------------

sub write_file {
    my ($self, $file, $text) = @_;
    open my $handle, '>', "$self->{root}$file" or die "$file: $!\n";
    print $handle $text;
    close $handle or die "$file: $!\n";
    return;
}

sub read_file {
    my ($self, $file) = @_;
    open my $handle, '<', "$self->{root}$file" or return '';
    local $/ = undef;
    my $text = <$handle>;
    return defined $text ? $text : '';
}

# ---- commands ------------------------------------------------------------------------------------

# Starts a script, as the leader of a group of processes. Its process.
sub start {
    my ($self, $who, $script) = @_;
    my $home = $who eq 'root' ? '/root' : "/home/$who";
    my $bash = $self->{folder} =~ s/'/'\\''/gr;
    $self->write_file('/tmp/fresh.sh', "cd '$bash' || exit 1\n$script\n");
    unlink "$self->{root}/tmp/fresh.output";
    defined(my $pid = fork) or die "fork: $!\n";
    if (!$pid) {
        setpgrp or die "setpgrp: $!\n";
        $SIG{$_} = 'DEFAULT' for qw(INT QUIT TERM);   # whoever runs tests in the background ignores some
        open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
        open STDOUT, '>', "$self->{root}/tmp/fresh.output" or die "/tmp/fresh.output: $!\n";
        open STDERR, '>&', \*STDOUT or die "STDERR: $!\n";
        %ENV = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', TERM => 'dumb',
            LANG => 'C.UTF-8', HOME => $home, USER => $who, LOGNAME => $who, SHELL => '/bin/bash',
            %{ $self->{environment} || {} });
        exec 'chroot', "--userspec=$who:$who", $self->{root}, 'bash', '--login', '/tmp/fresh.sh'
            or die "chroot: $!\n";
    }
    return $pid;
}

# What the command that was started last has printed so far.
sub output { return $_[0]->read_file('/tmp/fresh.output') }

# Waits for its end; by force if it does not come. Its status.
sub end_of {
    my ($self, $pid, $limit) = @_;
    my $end = time + ($limit || $self->{limit});
    while (waitpid($pid, WNOHANG) == 0) {
        if (time > $end) {
            diag('no end: ' . substr $self->output, -1000);
            kill 'KILL', -$pid;
            waitpid $pid, 0;
            last;
        }
        sleep 0.05;
    }
    return $?;
}

# Runs it to its end, and stays in the folder that it leads to. Its status and output.
sub run_as {
    my ($self, $who, $script) = @_;
    unlink "$self->{root}/tmp/fresh.folder";
    my $status = $self->end_of($self->start($who, "trap 'pwd >/tmp/fresh.folder' EXIT\n$script"));
    my $folder = $self->read_file('/tmp/fresh.folder') =~ s/\n\z//r;
    my $text = $self->output;
    unlink map { "$self->{root}/tmp/fresh.$_" } qw(folder output sh);
    return ($status, $text, $folder);
}

# Starts a command that goes on until ctrl-C, and presses that when it has printed this. Its output.
sub interrupted {
    my ($self, $who, $script, $printed, $meanwhile) = @_;
    my $pid = $self->start($who, $script);
    $self->wait_for("'$printed' from $script", sub { $self->output =~ $printed });
    my $text = $self->output;
    $meanwhile->($text) if $meanwhile;
    kill 'INT', -$pid;
    my $status = $self->end_of($pid, PATIENCE);
    ok($status == 0 || $status == POSIX::SIGINT() || $status >> 8 == 128 + POSIX::SIGINT(),
        'and ends with ctrl-C') or diag("status $status");
    return $text;
}

# What the test needs, and no document prints: if it fails, nothing can be said.
sub prepare {
    my ($self, $script) = @_;
    my ($status, $text) = $self->run_as(root => "set -e\nexport DEBIAN_FRONTEND=noninteractive\n$script");
    BAIL_OUT("$script: $text") if $status;
    return $text;
}

sub wait_for {
    my ($self, $what, $code) = @_;
    my $result = until_true(PATIENCE, $code);
    diag("waited in vain for $what") if !$result;
    return $result;
}

# ---- what is left --------------------------------------------------------------------------------

# All of these namespaces that are alive.
sub processes {
    return grep { _of_process($_, 'stat') !~ /\) Z / } map { m{(\d+)} } glob '/proc/[0-9]*';
}

sub _of_process {
    my ($pid, $name) = @_;
    open my $handle, '<', "/proc/$pid/$name" or return ') Z ';
    local $/ = undef;
    my $text = <$handle>;
    return defined $text ? $text : ') Z ';
}

sub temporary_files {
    my $self = shift;
    return map { substr $_, length $self->{root} } glob "$self->{root}/tmp/* $self->{root}/dev/shm/*";
}

# This process, and those that it starts, are no leftover.
sub keeps {
    my ($self, $pid) = @_;
    $self->{own}{$pid} = 1;
    return;
}

# Programs that nobody has asked to stay. The service httpd is run as "apache2 -k start" without "-f".
sub strangers {
    my $self = shift;
    my @strangers;
    for my $pid (grep { !$self->{own}{$_} && $_ != $$ } $self->processes) {
        my $command = _of_process($pid, 'cmdline') =~ tr/\0/ /r;
        next if $command =~ m{^/usr/sbin/apache2 -k \w+ $} || $command eq ') Z ';
        push @strangers, "$pid $command";
    }
    return @strangers;
}

sub nothing_is_left {
    my $self = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $end = time + 5;
    my @left;
    do {
        @left = ($self->strangers, grep { !$self->{files}{$_} && !m{^/tmp/fresh\.} } $self->temporary_files);
        sleep 0.05 if @left;
    } while (@left && time < $end);
    return is(join("\n", @left), '', 'no process and no temporary file is left');
}

1;
