# SPDX-License-Identifier: Apache-2.0
#
# Storer::Server - a folder of its own, the origin, and an httpd that Apache::Test configures,
# starts and stops. Used by t/httpd/run, t/stress/run and t/conformance/run; the tests themselves use
# Storer::Test.
#
# From the environment:
#
#   STORER_MODULE    mod_cache_storer.so
#   STORER_ORIGIN    the origin server; else it is looked for in STORER_BUILD_DIR
#   STORER_PROVIDER  the cache provider that is tested: storer, or disk to see what mod_cache_disk
#                    makes of the same tests
#   HTTPD, APXS, HTTPD_MODULEDIR  httpd's parts, as configure found them (STORER_HTTPD, STORER_APXS)
package Storer::Server;

use strict;
use warnings;

use Apache::TestConfig ();
use Apache::TestServer ();
use Cwd qw(abs_path getcwd);
use File::Basename qw(basename);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Storer::Log qw(unexpected_lines);
use Time::HiRes qw(sleep time);

use constant PATIENCE => 60;

# What the configuration templates use; a built-in one is passed over.
my @modules = qw(
    unixd authz_core authz_host log_config version status info mime alias dir headers env setenvif
    proxy proxy_http cache filter include deflate negotiation substitute rewrite actions
    authn_core authn_file authz_user auth_basic auth_digest auth_form session session_cookie request
    access_compat
);

# ---- what is where -------------------------------------------------------------------------------

sub _environment {
    for my $name (@_) {
        return $ENV{$name} if defined $ENV{$name} && length $ENV{$name};
    }
    return;
}

sub _apxs_query {
    my $name = shift;
    my $apxs = _environment('STORER_APXS', 'APXS') || 'apxs';
    open my $pipe, '-|', $apxs, '-q', $name or die "$apxs: $!\n";
    chomp(my $value = <$pipe> || '');
    return $value;
}

sub module_folder { return _environment('HTTPD_MODULEDIR') || _apxs_query('LIBEXECDIR') }

sub _find_httpd {
    return _environment('STORER_HTTPD', 'HTTPD')
        || _apxs_query('SBINDIR') . '/' . _apxs_query('progname');
}

# A program of the build, by its own variable or below the build's folder.
sub find_program {
    my ($variable, $path) = @_;
    my $program = _environment($variable);
    my $build = _environment('STORER_BUILD_DIR');
    $program = "$build/$path" if !$program && $build;
    die "$variable is not set\n" unless $program;
    die "$program: not there, or cannot be run\n" unless -x $program;
    return abs_path($program);
}

sub _provider { return _environment('STORER_PROVIDER') || 'storer' }

# httpd's children cannot be root's: a user that servers run as.
sub _user {
    return scalar getpwuid $> if $> != 0;
    for my $name (qw(www-data apache httpd nobody)) {
        return $name if defined getpwnam $name;
    }
    die "no user to run the server's children as\n";
}

# Below the ports that the system gives to clients, of which other tests may have thousands.
sub _free_port {
    for (1 .. 1000) {
        my $port = 15_000 + int rand 17_000;
        return $port if IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
            LocalPort => $port, Proto => 'tcp');
    }
    die "no free port: $!\n";
}

# ---- set-up --------------------------------------------------------------------------------------

# mpm => NAME, templates => FOLDER (conf/, htdocs/), modules => [further ones],
# origin_port => where the caller has an origin of its own, vars => { further ones for the templates }
sub new {
    my ($class, %option) = @_;
    my $self = bless { owner => $$, mpm => $option{mpm}, origin_port => $option{origin_port} },
        $class;

    umask 022;
    $self->{home} = getcwd();
    $self->{folder} = abs_path(tempdir("storer-$option{mpm}-XXXXXX", TMPDIR => 1, CLEANUP => 0));
    chmod 0755, $self->{folder};
    my $top = "$self->{folder}/t";
    make_path(map { "$top/$_" } qw(conf htdocs logs state cache));
    my $user = _user();
    if ($> == 0) {
        my (undef, undef, $uid, $gid) = getpwnam $user;
        chown $uid, $gid, "$top/cache";
    }
    copy_tree("$option{templates}/$_", "$top/$_") for grep { -d "$option{templates}/$_" }
        qw(conf htdocs);
    $self->_write_modules("$top/conf/modules.conf", @{ $option{modules} || [] });

    $self->_start_origin unless $self->{origin_port};
    $self->_configure($top, $user, %{ $option{vars} || {} });
    return $self;
}

sub _write {
    my ($file, $text) = @_;
    open my $handle, '>', $file or die "$file: $!\n";
    print $handle $text;
    close $handle or die "$file: $!\n";
    return;
}

sub copy_tree {
    my ($from, $to) = @_;
    make_path($to);
    for my $file (glob "$from/*") {
        my $name = basename($file);
        if (-d $file) {
            copy_tree($file, "$to/$name");
            next;
        }
        copy($file, "$to/$name") or die "$file: $!\n";
        chmod -x $file ? 0755 : 0644, "$to/$name";
        # a file just written would have no freshness of its own
        utime time, time - 86_400, "$to/$name";
    }
    return;
}

# The modules that Apache::Test loads, and may be asked for by need_module.
sub _write_modules {
    my ($self, $file, @more) = @_;
    my $folder = module_folder();
    my $text = "LoadModule mpm_$self->{mpm}_module \"$folder/mod_mpm_$self->{mpm}.so\"\n";
    my @provided;
    my %built_in = map { /(\w+)\.c\s*$/ ? ($1 => 1) : () } qx(@{[_find_httpd()]} -l);

    die "no such MPM: $self->{mpm}\n" unless -e "$folder/mod_mpm_$self->{mpm}.so";
    push @provided, 'cache_disk' if _provider() eq 'disk';
    for my $name (grep { !$built_in{"mod_$_"} } @modules, @more, @provided) {
        $text .= "LoadModule ${name}_module \"$folder/mod_$name.so\"\n";
    }
    if (_provider() eq 'storer') {
        my $module = _environment('STORER_MODULE') or die "STORER_MODULE is not set\n";
        die "$module: not there\n" unless -e $module;
        $text .= 'LoadModule cache_storer_module "' . abs_path($module) . "\"\n";
    }
    _write($file, $text);
    return;
}

sub _start_origin {
    my $self = shift;
    my $program = find_program('STORER_ORIGIN', 't/origin/origin');
    my $port_file = "$self->{folder}/origin.port";

    # it ends with the pipe, so also when this process is killed
    $self->{origin_pid} = open my $pipe, '|-', $program, '-s', '-f', $port_file
        or die "$program: $!\n";
    $self->{origin} = $pipe;
    my $end = time + PATIENCE;
    until (-e $port_file) {
        die "the origin did not start\n" if time > $end || waitpid($self->{origin_pid}, 1) != 0;
        sleep 0.02;
    }
    open my $handle, '<', $port_file or die "$port_file: $!\n";
    chomp($self->{origin_port} = <$handle>);
    return;
}

sub _configure {
    my ($self, $top, $user, %more) = @_;
    my $group = getgrgid($> == 0 ? (getpwnam $user)[3] : (split / /, $))[0]);

    chdir $self->{folder} or die "$self->{folder}: $!\n";
    my $config = Apache::TestConfig->new({
        top_dir     => $self->{folder},
        t_dir       => $top,
        httpd       => _find_httpd(),
        apxs        => _environment('STORER_APXS', 'APXS') || 'apxs',
        httpd_conf  => "$top/conf/modules.conf",
        user        => $user,
        group       => $group,
        servername  => '127.0.0.1',
        port        => _free_port(),
        save        => 1,
        origin_port => $self->{origin_port},
        provider    => _provider(),
        wanted_mpm  => $self->{mpm},
        %more,
    });
    $config->httpd_config;
    $config->prepare_t_conf;
    $config->generate_httpd_conf;
    $config->save;
    die "httpd has the MPM '" . $config->httpd_mpm . "', not $self->{mpm}\n"
        unless $config->httpd_mpm eq $self->{mpm};
    $self->{config} = $config;
    $self->{vars} = $config->{vars};
    return;
}

# ---- start and stop ------------------------------------------------------------------------------

sub vars { return $_[0]{vars} }
sub pid  { return $_[0]{config}->server->pid }

# Apache::Test's words go to standard error: standard output is for TAP.
sub _aside {
    my $code = shift;
    open my $saved, '>&', \*STDOUT or die "dup: $!\n";
    open STDOUT, '>&', \*STDERR or die "dup: $!\n";
    my $result = eval { $code->() };
    my $error = $@;
    open STDOUT, '>&', $saved or die "dup: $!\n";
    die $error if $error;
    return $result;
}

sub start {
    my $self = shift;
    my $log = "$self->{vars}{t_logs}/error_log";

    $self->{started} = 1;
    return if _aside(sub { $self->{config}->server->start });
    if (open my $handle, '<', $log) {
        print STDERR <$handle>;
    }
    die "httpd did not start\n";
}

# End httpd alone, with its children: in good order, or by SIGKILL, parent first.
sub end_httpd {
    my ($self, $killed) = @_;
    my $pid = $self->pid;
    my @children = Storer::Log::children_of($pid);

    if ($killed) {
        kill KILL => $pid, @children;
        unlink "$self->{vars}{t_logs}/httpd.pid";
    }
    else {
        _aside(sub { $self->{config}->server->stop });
    }
    for my $gone ($pid, @children) {
        _gone($gone) or die "httpd $gone does not end\n";
    }
    return;
}

# End httpd and the origin, and see that they did. @return what is wrong with that, if anything: who
# is still there, and what the log says of the end
sub stop {
    my $self = shift;
    my @wrong;

    # Apache::Test forks, and a copy of this object is not to end what the original started
    return if $self->{owner} != $$ || $self->{stopped}++;
    if ($self->{started}) {
        my $pid = $self->pid;
        my $log = "$self->{vars}{t_logs}/error_log";
        my $log_start = -s $log || 0;
        # a child that takes its time to end is told so
        my @expected = ({ pattern => qr/AH00045: child process/ });
        _aside(sub { $self->{config}->server->stop });
        push @wrong, "still running: httpd $pid" if $pid && !_gone($pid);
        push @wrong, map { "in the log of the end: $_" }
            unexpected_lines($log, $log_start, \@expected);
    }
    if ($self->{origin}) {
        kill TERM => $self->{origin_pid};
        close $self->{origin};
    }
    chdir $self->{home};
    return @wrong;
}

sub _gone {
    my $pid = shift;
    my $end = time + PATIENCE;
    while (kill 0 => $pid) {
        return 0 if time > $end;
        sleep 0.05;
    }
    return 1;
}

# Keep the folder of a run that failed, where STORER_KEEP is set.
sub remove {
    my ($self, $failed) = @_;
    return if $self->{owner} != $$;
    if ($failed && $ENV{STORER_KEEP}) {
        print STDERR "kept: $self->{folder}\n";
        return;
    }
    remove_tree($self->{folder});
    return;
}

sub DESTROY {
    my $self = shift;
    local ($?, $@);
    $self->stop;
    return;
}

1;
