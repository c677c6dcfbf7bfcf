# SPDX-License-Identifier: Apache-2.0
#
# The site of 310 made by PHP: as FPM (SetHandler), and in httpd itself under prefork. Needs php-fpm, and
# for the second part libapache2-mod-php or its kin; an httpd of its own, since no other test wants PHP.
use strict;
use warnings;

use File::Basename qw(dirname);
use Storer::Apart;
use Storer::Client;
use Storer::Front qw(install check_site is_page);
use Storer::Server;
use Storer::Test;
use Test::More;
use Time::HiRes qw(sleep);

my $here = dirname(__FILE__);
my $mpm = $ENV{STORER_MPM};
my $modules = Storer::Server::module_folder();
my ($fpm) = grep { -x } map { glob "$_/php-fpm*" } '/usr/sbin', '/usr/local/sbin', '/usr/bin';
my ($php) = $mpm eq 'prefork' ? glob "$modules/libphp*.so" : ();

plan skip_all => 'neither php-fpm nor, under prefork, mod_php is installed' unless $fpm || $php;

my $apart = Storer::Apart->new(mpm => $mpm, templates => "$here/php",
    modules => [ $mpm eq 'prefork' ? 'cgi' : 'cgid', 'proxy_fcgi' ],
    vars => { site => "$here/conf/front-site.conf", libphp => $php || 'none' });
my $vars = $apart->vars;
my $fpm_pid;

sub _end_fpm {
    return unless $fpm_pid;
    kill TERM => $fpm_pid;
    waitpid $fpm_pid, 0;
    undef $fpm_pid;
    return;
}

END { local $?; _end_fpm() }

# In the foreground, as a child of this process.
sub _start_fpm {
    my $logs = $vars->{t_logs};
    my $user = $> == 0 ? "user = $vars->{user}\ngroup = $vars->{group}\n" : '';
    write_file("$logs/fpm.conf", "[global]\nerror_log = $logs/fpm.log\n[www]\n$user"
        . "listen = $logs/fpm.sock\nlisten.mode = 0666\npm = static\npm.max_children = 2\n");
    $fpm_pid = fork;
    die "fork: $!" unless defined $fpm_pid;
    if (!$fpm_pid) {
        open STDOUT, '>', "$logs/fpm.out";
        open STDERR, '>&', \*STDOUT;
        exec { $fpm } $fpm, '-n', '-F', '-y', "$logs/fpm.conf" or exit 127;
    }
    wait_for('php-fpm', sub { -S "$logs/fpm.sock" || waitpid($fpm_pid, 1) });
    return;
}

sub _request {
    my ($host, $target, %option) = @_;
    my $connection = Storer::Client->new(port => $vars->{port});
    my $headers = [ @{ delete $option{headers} || [] }, Connection => 'close' ];
    my $response = $connection->request(delete $option{method} || 'GET', $target, host => $host,
        headers => $headers, %option);
    $connection->drain;
    $connection->close;
    return $response;
}

Storer::Server::copy_tree("$here/htdocs/310", "$vars->{documentroot}/310");
install($vars->{documentroot}, "$here/../lib/front.php");
_start_fpm() if $fpm;

for my $host (($fpm ? qw(fpm-quick.test fpm-handler.test) : ()),
    ($php ? qw(php-quick.test php-handler.test) : ())) {
    my $fetch = sub { _request($host, @_) };
    note($host);
    check_site($fetch, '/310/wordpress', 200);
    check_site($fetch, "/310/$_", 40) for qw(drupal drupal7 fallback passed);
    for my $path ('/310/index/', '/310/index/index.php', '/310/wordpress/index.php') {
        is_page($fetch->($path), $path, "$host: $path") for 1, 2;
    }
    is($fetch->('/310/errors/none')->status, 404, "$host: a URL that is not there");
    is($fetch->('/310/errors/missing.html')->status, 200, "$host: and the page that says so");
}
_end_fpm();
is(join(', ', $apart->stop), '', 'the server ends well');

finish();
