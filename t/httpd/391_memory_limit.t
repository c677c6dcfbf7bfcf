# SPDX-License-Identifier: Apache-2.0
#
# Stores that may fill more memory than there is are told at the start, with both numbers; stores of a
# usual size are not. The limits themselves, with control groups of every kind, are tested by
# t/unit/test_limit.c.
use strict;
use warnings;

use IO::Socket::INET;
use Storer::Test;
use Test::More;

my $vars = vars();
my $log = "$vars->{t_logs}/391.log";
my $modules = join '', map { "Include \"$_\"\n" } "$vars->{t_conf}/modules.conf";

sub read_file {
    my $file = shift;
    open my $handle, '<', $file or return '';
    return do { local $/ = undef; <$handle> };
}

# A port that is free.
sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no port: $!";
    return $socket->sockport;
}

# The error log of a start. The server is ended again.
sub log_of_start {
    my $text = shift;
    my $port = free_port();
    my $pid_file = "$vars->{t_logs}/391.pid";
    unlink $log;
    my ($code, $output) = run_httpd("$modules\nServerName 127.0.0.1\nListen 127.0.0.1:$port\n"
        . "DefaultRuntimeDir \"$vars->{t_logs}\"\nErrorLog \"$log\"\nTypesConfig /dev/null\n"
        . ($> == 0 ? "User $vars->{user}\nGroup $vars->{group}\n" : '')
        . "PidFile \"$pid_file\"\n$text\n");
    is($code, 0, 'the server starts') or diag($output);
    wait_for('the server', sub { -s $pid_file && read_file($log) =~ /resuming normal operations/ });
    kill TERM => read_file($pid_file) =~ /(\d+)/ or die "no server: $!";
    wait_for('its end', sub { !-e $pid_file });
    return read_file($log);
}

my ($total) = map { /^MemTotal:\s+(\d+) kB/ ? $1 * 1024 : () } do {
    open my $handle, '<', '/proc/meminfo' or plan skip_all => 'no /proc/meminfo';
    <$handle>;
};
plan skip_all => 'this machine has more memory than a store can have' if 2 * (64 << 30) < $total;

my $stores = 1 + int $total / (64 << 30);
my $lines = join "\n", map { "<VirtualHost 127.0.0.1:8$_>\nCacheStorer memory size=64G name=$_\n</VirtualHost>" }
    1 .. $stores;
my $bytes = $stores * (64 << 30) + (1 << 20);
my $text = log_of_start("CacheStorer memory size=1M\n$lines");
like($text, qr/STORER0890|CS0890/, 'more than there is: a line');
like($text, qr/may fill $bytes bytes/, 'with the sum of the stores');
my ($limit) = $text =~ /may use (\d+) only \(\S+\)/;
ok(defined $limit && $limit > 0 && $limit <= $total, 'and with the limit');
unlike(log_of_start('CacheStorer memory size=1M'), qr/0890/, 'a small store: no such line');

# a smallest body that the store does not take, which configtest cannot know without a size
$text = log_of_start("CacheStorer memory\nCacheStorerMinFileSize 20M");
like($text, qr/CS0214: CacheStorerMinFileSize 20971520: the store takes no body larger than \d+/,
    'a smallest body that is larger than any that the store takes: a line');
unlike(log_of_start("CacheStorer memory\nCacheStorerMinFileSize 2M"), qr/0214/, 'else none');

finish();
