# SPDX-License-Identifier: Apache-2.0
#
# Storer::Browser - a headless Chromium that a test looks at a page with, by the DevTools protocol on
# a pair of pipes (--remote-debugging-pipe: JSON messages, each ended by a NUL, on descriptors 3 and 4).
package Storer::Browser;

use strict;
use warnings;

use File::Temp ();
use IO::Select;
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Storer::Wait qw(until_true);
use Time::HiRes qw(sleep time);

use constant PATIENCE => 60;

# The program; undef: there is none.
sub program {
    for my $name (qw(chromium chromium-browser google-chrome)) {
        for my $folder (split /:/, $ENV{PATH}) {
            return "$folder/$name" if -x "$folder/$name";
        }
    }
    return;
}

# size => [width, height], dark => 1
sub new {
    my ($class, %option) = @_;
    my $self = bless { id => 0, buffer => '', events => [],
        profile => File::Temp->newdir('storer-browser-XXXXXX', TMPDIR => 1) }, $class;

    pipe my $read_there, $self->{write} or die "pipe: $!";
    pipe $self->{read}, my $write_there or die "pipe: $!";
    $self->{pid} = fork;
    die "fork: $!" unless defined $self->{pid};
    if (!$self->{pid}) {
        my @ends = map { POSIX::dup(fileno $_) } $read_there, $write_there;
        POSIX::dup2($ends[0], 3);
        POSIX::dup2($ends[1], 4);
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        $ENV{HOME} = "$self->{profile}";
        setpgrp;
        exec { program() } program(), '--headless=new', '--remote-debugging-pipe', '--disable-gpu', '--no-sandbox',
            '--no-first-run', '--disable-dev-shm-usage', "--user-data-dir=$self->{profile}"
            or POSIX::_exit(127);
    }
    close $read_there;
    close $write_there;
    my $target = $self->_call('Target.createTarget', { url => 'about:blank' })->{targetId};
    $self->{session} = $self->_call('Target.attachToTarget',
        { targetId => $target, flatten => JSON::PP::true })->{sessionId};
    $self->_call($_) for 'Page.enable', 'Runtime.enable', 'Log.enable';
    $self->resize(@{ $option{size} || [ 1200, 900 ] });
    return $self;
}

sub _send {
    my ($self, $method, $parameters) = @_;
    my %message = (id => ++$self->{id}, method => $method, params => $parameters || {});
    $message{sessionId} = $self->{session} if $self->{session};
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{write}, JSON::PP::encode_json(\%message) . "\0" or die "browser: $!";
    return $self->{id};
}

sub _next_message {
    my ($self, $end) = @_;
    while ($self->{buffer} !~ /\0/) {
        my $left = $end - time;
        die "browser: no answer\n" unless $left > 0 && IO::Select->new($self->{read})->can_read($left);
        sysread $self->{read}, $self->{buffer}, 1 << 20, length $self->{buffer}
            or die "browser: it has ended\n";
    }
    $self->{buffer} =~ s/\A(.*?)\0//s;
    return JSON::PP::decode_json($1);
}

# One call of the protocol, and its result. Events on the way are kept.
sub _call {
    my ($self, $method, $parameters) = @_;
    my $id = $self->_send($method, $parameters);
    my $end = time + PATIENCE;
    while (1) {
        my $message = $self->_next_message($end);
        if (!$message->{id}) {
            push @{ $self->{events} }, $message;
        }
        elsif ($message->{id} == $id) {
            die "browser: $method: $message->{error}{message}\n" if $message->{error};
            return $message->{result};
        }
    }
}

# As wide and high as a phone, or a desk; light or dark.
sub resize {
    my ($self, $width, $height, $scheme) = @_;
    $self->_call('Emulation.setDeviceMetricsOverride', { width => $width, height => $height,
        deviceScaleFactor => 1, mobile => JSON::PP::false });
    $self->_call('Emulation.setEmulatedMedia',
        { features => [ { name => 'prefers-color-scheme', value => $scheme || 'light' } ] });
    return;
}

# Header fields that every request has.
sub headers {
    my ($self, %headers) = @_;
    $self->_call('Network.enable');
    $self->_call('Network.setExtraHTTPHeaders', { headers => \%headers });
    return;
}

sub go {
    my ($self, $url) = @_;
    my $result = $self->_call('Page.navigate', { url => $url });
    die "browser: $url: $result->{errorText}\n" if $result->{errorText};
    return;
}

# The value of a JavaScript expression; promises are waited for.
sub value {
    my ($self, $expression) = @_;
    my $result = $self->_call('Runtime.evaluate', { expression => $expression,
        returnByValue => JSON::PP::true, awaitPromise => JSON::PP::true });
    die "browser: $expression: $result->{exceptionDetails}{text}\n" if $result->{exceptionDetails};
    return $result->{result}{value};
}

# Wait until an expression is true.
sub wait_until {
    my ($self, $expression) = @_;
    return until_true(PATIENCE, sub { eval { $self->value($expression) } });
}

# What the page complained about: exceptions, errors of the console, refused or failed resources.
sub complaints {
    my $self = shift;
    $self->value('1');
    my @found;
    for my $event (@{ $self->{events} }) {
        my $what = $event->{params};
        push @found, $what->{exceptionDetails}{exception}{description}
            || $what->{exceptionDetails}{text} if $event->{method} eq 'Runtime.exceptionThrown';
        push @found, "$what->{entry}{text} $what->{entry}{url}"
            if $event->{method} eq 'Log.entryAdded' && $what->{entry}{level} eq 'error';
        push @found, $what->{args}[0]{value}
            if $event->{method} eq 'Runtime.consoleAPICalled' && $what->{type} eq 'error';
    }
    return @found;
}

# The page as a PNG, in a file.
sub screenshot {
    my ($self, $file) = @_;
    my $data = $self->_call('Page.captureScreenshot',
        { format => 'png', captureBeyondViewport => JSON::PP::true })->{data};
    open my $handle, '>:raw', $file or die "$file: $!";
    print $handle MIME::Base64::decode_base64($data);
    close $handle or die "$file: $!";
    return $file;
}

sub DESTROY {
    my $self = shift;
    return unless $self->{pid};
    local ($?, $@, $!);
    eval { delete $self->{session}; $self->_call('Browser.close') };
    my $end = time + 5;
    while (time < $end && waitpid($self->{pid}, POSIX::WNOHANG()) == 0) {
        sleep 0.02;
    }
    kill KILL => -$self->{pid}; # its own processes are in its group
    waitpid $self->{pid}, 0;
    return;
}

1;
