# SPDX-License-Identifier: Apache-2.0
#
# Storer::Bench - what benches need that start servers of their own: a folder, processes that end with
# the bench, an httpd with a configuration of the bench's, and medians.
package Storer::Bench;

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Storer::Client;
use Storer::Log qw(read_from children_of);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(folder in_path free_port write_file spawn finish finish_all end_all start_httpd
    module_lines process_lines floor_lines wait_until run_wrk processor_time median quantile);

my $owner = $$;
my ($folder, @pids);

sub folder {
    if (!$folder) {
        $folder = tempdir('storer-bench-XXXXXX', TMPDIR => 1, CLEANUP => 0);
        chmod 0755, $folder;
        mkdir "$folder/$_" or die "$folder/$_: $!\n" for qw(htdocs logs);
        chmod 0777, "$folder/logs"; # for who httpd becomes
    }
    return $folder;
}

sub in_path {
    my $name = shift;
    return (grep { -x } map { "$_/$name" } split /:/, $ENV{PATH})[0];
}

sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', Proto => 'tcp')
        or die "no free port: $!\n";
    return $socket->sockport;
}

sub write_file {
    my ($file, $text) = @_;
    open my $handle, '>', $file or die "$file: $!\n";
    print $handle $text;
    close $handle or die "$file: $!\n";
    return;
}

# A program, its arguments, and maybe a file for what it prints (a reference, first).
sub spawn {
    my @command = @_;
    my $output = ref $command[0] ? ${ shift @command } : undef;
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    if ($pid == 0) {
        if ($output) {
            open STDOUT, '>', $output or POSIX::_exit(127);
            open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        }
        { no warnings 'exec'; exec @command; }
        POSIX::_exit(127);
    }
    push @pids, $pid;
    return $pid;
}

# End one of them by a signal.
sub finish {
    my ($pid, $signal) = @_;
    kill $signal => $pid;
    waitpid $pid, 0;
    @pids = grep { $_ != $pid } @pids;
    return;
}

# LoadModule lines for httpd's own modules, and for ours where they are named by file.
sub module_lines {
    my $folder = $ENV{HTTPD_MODULEDIR} || '/usr/lib/apache2/modules';
    return join '', map { /(\w+)=(.*)/ ? "LoadModule $1_module $2\n"
            : "LoadModule ${_}_module $folder/mod_$_.so\n" } @_;
}

# mod_floor.c in place of the store, with a body of that size and these fields, [ [NAME, VALUE], ... ], but
# for those that httpd makes itself.
sub floor_lines {
    my ($size, $fields) = @_;
    return "CacheEnable floor /\nFloorBody $size\n" . join '',
        map { qq(FloorField "$_->[0]" "@{[ $_->[1] =~ s/"/\\"/gr ]}"\n) }
        grep { $_->[0] !~ /\A(?:Date|Server|Connection|Keep-Alive|Age)\z/i } @$fields;
}

# An httpd with this configuration, without what every one needs. @return its pid
# $under: a program that runs it, with arguments; $mode: instead of -D FOREGROUND
sub start_httpd {
    my ($name, $port, $text, $under, @mode) = @_;
    @mode = ('-D', 'FOREGROUND') unless @mode;
    my $user = $> == 0 ? "User www-data\nGroup www-data" : '';
    my $top = folder();
    write_file("$top/$name.conf", <<"END" . $text);
ServerRoot $top
ServerName 127.0.0.1
Listen 127.0.0.1:$port
PidFile $top/logs/$name.pid
ErrorLog $top/logs/$name.log
DefaultRuntimeDir $top/logs
Mutex pthread
$user
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot $top/htdocs
END
    my $pid = spawn(@{ $under || [] }, $ENV{HTTPD} || '/usr/sbin/apache2', '-f', "$top/$name.conf", @mode);
    my $end = time + 60;
    until (eval { Storer::Client->new(port => $port)->close; 1 }) {
        die read_from("$top/logs/$name.log", 0) . "httpd did not start\n"
            if time > $end || waitpid($pid, POSIX::WNOHANG()) != 0;
        sleep 0.005;
    }
    return $pid;
}

# Until the code says true; for a minute.
sub wait_until {
    my ($what, $code) = @_;
    my $end = time + 60;
    until ($code->()) {
        die "waited in vain for $what\n" if time > $end;
        sleep 0.05;
    }
    return;
}

# The load that benches of processor time put on a server. @return the number of requests
sub run_wrk {
    my ($url, $connections, $seconds) = @_;
    my $output = qx(wrk -t1 -c$connections -d${seconds}s $url);
    my ($count) = $output =~ /(\d+) requests in/ or die $output;
    die $output if $output =~ /Non-2xx/;
    return $count;
}

# For a threaded MPM under that load: two processes, all the time.
sub process_lines { return <<'END' }
StartServers 2
ServerLimit 2
ThreadsPerChild 64
MaxRequestWorkers 128
MinSpareThreads 64
MaxSpareThreads 128
END

# Microseconds of processor time of a process and its children so far.
sub processor_time {
    my $sum = 0;
    for my $pid ($_[0], children_of($_[0])) {
        for my $file (glob "/proc/$pid/task/*/schedstat") {
            $sum += (split / /, read_from($file, 0))[0] || 0;
        }
    }
    return $sum / 1000;
}

sub quantile {
    my ($share, @values) = @_;
    my @sorted = sort { $a <=> $b } @values;
    return $sorted[ $share * $#sorted ];
}

sub median { return quantile(0.5, @_) }

# End all that was started so far.
sub finish_all {
    kill TERM => @pids if @pids;
    waitpid $_, 0 for @pids;
    @pids = ();
    return;
}

# Everything that was started, in its END block, which is the bench's own.
sub end_all {
    return if $owner != $$;
    my $status = $?;
    finish_all();
    remove_tree($folder) if $folder;
    $? = $status;
    return;
}

1;
