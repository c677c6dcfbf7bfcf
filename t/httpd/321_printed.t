# SPDX-License-Identifier: Apache-2.0
#
# Each configuration that we print (README.md, docs/, the demo's) is put into a server that has something
# closed by each means there is: whoever was kept out before is kept out with it, also after somebody who is
# let in has filled the cache. 127.0.0.1 is let in, 127.0.0.5 is the stranger.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use POSIX ();
use Storer::Client;
use Storer::Test;
use Test::More;

umask 022;
my $source = abs_path(dirname(abs_path(__FILE__)) . '/../..');
my $top = vars()->{t_logs} . '/printed';
my $documents = "$top/htdocs";
my $password = 'alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=' . "\n"; # "secret"

make_path(map { "$documents/$_" } qw(open closed order htaccess user closed/below));
for my $folder (qw(open closed order htaccess user closed/below)) {
    utime time - 864_000, time - 864_000,
        write_file("$documents/$folder/page.html", "<p>A page in $folder.</p>\n");
}
write_file("$documents/htaccess/.htaccess", "Require ip 127.0.0.1\n");
write_file("$top/users", $password);

# ---- what is printed ------------------------------------------------------------------------------

sub text_of { local (@ARGV, $/) = "$source/$_[0]"; return scalar <> }

# Indented blocks that are for httpd.
sub blocks_of {
    my ($file) = @_;
    my @blocks = text_of($file) =~ /^((?:    .*\n|\n(?=    ))+)/mg;
    return map { s/^    //gmr } grep { /^ +(?:<Location|CacheEnable|CacheStorer\w* )/m && !/^ +\$ /m }
        @blocks;
}

my $port = vars()->{port};
my @printed = map { my $file = $_; my $n = 0; map { [ "$file, block " . ++$n, $_ ] } blocks_of($file) }
    'README.md', 'docs/admin-api.md';
push @printed, [ 'docs/cache_storer.conf', text_of('docs/cache_storer.conf') ],
    [ 'docs/cache_storer.conf with CacheEnable', text_of('docs/cache_storer.conf') =~ s/#(?=CacheEnable)//r ],
    [ 'build/demo.conf', text_of('build/demo.conf') =~ s/\A.*?^(?=CacheStorer )//msr =~ s/^LogFormat.*//msr ];
cmp_ok(@printed, '>=', 8, 'there are as many as we know of');
ok((grep { $_->[1] =~ /CacheStorerPurge/ } @printed) >= 2, 'some of them about PURGE');

# As printed, but for names and addresses that belong to the reader; other storages and origins are not
# what it is about.
sub adapted {
    my ($text) = @_;
    $text =~ s/^\s*(?:ProxyPass|LoadModule|CacheStorer (?:redis|table)).*\n//mg;
    $text =~ s{10\.0\.0\.0/8}{127.0.0.1}g;
    $text =~ s/<VirtualHost \*:80>/<VirtualHost *:$port>/g;
    return $text;
}

# ---- a server -------------------------------------------------------------------------------------

my $modules = join "\n", grep { !/mod_mpm_/ } split /\n/, do {
    local (@ARGV, $/) = vars()->{t_conf} . '/modules.conf';
    <>;
};

my $running = 0; # its pid

sub server_text {
    my ($text) = @_;
    my $user = $> == 0 ? "User " . vars()->{user} . "\nGroup " . vars()->{group} . "\n" : '';
    return <<"END";
LoadModule mpm_worker_module @{[ $modules =~ m{"([^"]+)/mod_cache\.so"} ]}/mod_mpm_worker.so
$modules
$user
ServerName www.example.org
Listen 127.0.0.4:$port
PidFile "$top/httpd.pid"
DefaultRuntimeDir "$top"
ErrorLog "$top/error_log"
DocumentRoot "$documents"
TypesConfig /dev/null
AddType text/html .html
StartServers 1
<Directory />
  AllowOverride None
  Require all denied
</Directory>
<Directory "$documents">
  AllowOverride All
  Require all granted
</Directory>
<Directory "$documents/closed">
  Require ip 127.0.0.1
</Directory>
<Directory "$documents/order">
  Order deny,allow
  Deny from all
  Allow from 127.0.0.1
</Directory>
<Directory "$documents/user">
  AuthType Basic
  AuthName inside
  AuthUserFile "$top/users"
  Require valid-user
</Directory>
<Location "/server-status">
  SetHandler server-status
  Require ip 127.0.0.1
</Location>
<Location "/server-info">
  SetHandler server-info
  Require ip 127.0.0.1
</Location>
$text
END
}

sub start {
    my ($text) = @_;
    my $file = write_file("$top/httpd.conf", server_text(adapted($text)));
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
        open STDOUT, '>', "$top/output";
        open STDERR, '>&', \*STDOUT;
        exec(vars()->{httpd}, '-D', 'FOREGROUND', '-d', $top, '-f', $file) or POSIX::_exit(127);
    }
    $running = $pid;
    my $up = wait_for('httpd', sub {
        return -1 if waitpid($pid, POSIX::WNOHANG()) == $pid;
        return eval { ask('/open/page.html')->status } || 0;
    });
    $running = 0 if $up && $up < 0;
    return $running;
}

sub stop {
    return unless $running;
    kill TERM => $running;
    waitpid $running, 0;
    $running = 0;
    return;
}

END {
    local $?;
    stop();
}

# An exchange with it. from => address, method, headers
sub ask {
    my ($target, %option) = @_;
    my $client = Storer::Client->new(port => $port, address => '127.0.0.4',
        from => delete $option{from} || '127.0.0.1');
    my @headers = (@{ delete $option{headers} || [] }, Connection => 'close');
    my $response = $client->request(delete $option{method} || 'GET', $target, host => 'www.example.org',
        headers => \@headers, %option);
    $client->drain;
    $client->close;
    return $response;
}

my @stranger = (from => '127.0.0.5');
my @alice = (headers => [ Authorization => 'Basic YWxpY2U6c2VjcmV0' ]);
my %closed = (
    '/closed/page.html'       => [ 403 ],
    '/closed/below/page.html' => [ 403 ],
    '/order/page.html'        => [ 403 ],
    '/htaccess/page.html'     => [ 403 ],
    '/user/page.html'         => [ 401, @alice ],
    '/server-status'          => [ 403 ],
    '/server-info'            => [ 403 ],
    '/httpd.conf/../../httpd.conf' => [ 400 ],
);

for my $case (@printed) {
    my ($name, $text) = @$case;
    ok(start($text), "$name: httpd starts with it") or do {
        diag(do { local (@ARGV, $/) = "$top/output"; <> } || '');
        next;
    };
    for my $target (sort keys %closed) {
        my ($status, @who) = @{ $closed{$target} };
        is(ask($target, @stranger)->status, $status, "$name: $target: $status for a stranger");
        next if $status == 400;
        is(ask($target, @who)->status, 200, "$name: $target: 200 for who is let in") for 1, 2;
        is(ask($target, @stranger)->status, $status, "$name: $target: $status still");
    }
    is(ask('/open/page.html', @stranger)->status, 200, "$name: what is open is open");
    if ($text =~ /Limit PURGE/) {
        my $purge = ask('/open/page.html', method => 'PURGE');
        is($purge->status, $text =~ /CacheEnable/ ? 200 : 404, "$name: PURGE by who may");
        if ($text =~ /Require ip/) {
            is(ask('/open/page.html', @stranger, method => 'PURGE')->status, 403,
                "$name: PURGE by a stranger");
        }
        isnt(ask('/closed/page.html', @stranger, method => 'PURGE')->status, 200,
            "$name: PURGE by a stranger where he may not read");
    }
    stop();
}

finish();
