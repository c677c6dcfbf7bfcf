# SPDX-License-Identifier: Apache-2.0
#
# Storer::Client - an HTTP/1.1 client that hides nothing: one connection, requests written as given,
# bodies read in steps where a test wants that, and truncation told from an end. Also the origin's
# body function (t/origin/body.h) in Perl, to check what was received.
package Storer::Client;

use strict;
use warnings;
no warnings 'portable';  # hexadecimal numbers of 64 bits

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF);

our @EXPORT_OK = qw(body_identity body_text);

use constant TIMEOUT => 40;

# ---- the connection ------------------------------------------------------------------------------

# port => N, address => '127.0.0.1' if no other is given, from => the client's own address, and
# receive_buffer => BYTES to keep the kernel from reading ahead
sub new {
    my ($class, %option) = @_;
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!";
    setsockopt($socket, SOL_SOCKET, SO_RCVBUF, pack('i', $option{receive_buffer}))
        if $option{receive_buffer};
    if ($option{from}) {
        $socket->bind(0, Socket::inet_aton($option{from})) or die "bind to $option{from}: $!";
    }
    $socket->connect($option{port}, Socket::inet_aton($option{address} || '127.0.0.1'))
        or die "connect to port $option{port}: $!";
    binmode $socket;
    $socket->autoflush(1);
    return bless { socket => $socket, buffer => '', closed => 0 }, $class;
}

sub close {
    my $self = shift;
    CORE::close($self->{socket}) if $self->{socket};
    delete $self->{socket};
    return;
}

# close with a reset, as a client that was killed
sub abort {
    my $self = shift;
    setsockopt($self->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
    return $self->close;
}

# Read some bytes into the buffer; false at the end of the connection.
sub _fill {
    my $self = shift;
    return 0 if $self->{closed};
    IO::Select->new($self->{socket})->can_read(TIMEOUT) or die "no answer in @{[TIMEOUT]} s\n";
    my $got = sysread $self->{socket}, $self->{buffer}, 65536, length $self->{buffer};
    $self->{closed} = 1 unless $got;
    return $got;
}

# Whether something arrives within so many seconds.
sub is_readable {
    my ($self, $seconds) = @_;
    return $self->{buffer} ne '' || IO::Select->new($self->{socket})->can_read($seconds) ? 1 : 0;
}

# ---- requests ------------------------------------------------------------------------------------

# send($method, $target, host => NAME, headers => [NAME => VALUE, ...], body => BYTES)
sub send {
    my ($self, $method, $target, %option) = @_;
    my @headers = @{ $option{headers} || [] };
    my $head = "$method $target HTTP/1.1\r\nHost: " . ($option{host} || '127.0.0.1') . "\r\n";

    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }
    $head .= 'Content-Length: ' . length($option{body}) . "\r\n" if defined $option{body};
    $self->{method} = $method;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{socket} } $head, "\r\n", defined $option{body} ? $option{body} : '';
    return $self;
}

# Read the head of the answer. undef: the connection ended before it.
sub head {
    my $self = shift;
    my $response = bless { headers => [], body => '', complete => 0 }, 'Storer::Response';

    until ($self->{buffer} =~ /\r\n\r\n/) {
        $self->_fill or return;
    }
    $self->{buffer} =~ s/\A(.*?)\r\n\r\n//s;
    my ($line, @lines) = split /\r\n/, $1;
    ($response->{status}) = $line =~ m{\AHTTP/1\.1 (\d{3})} or die "bad status line: $line\n";
    push @{ $response->{headers} }, [ split /:\s*/, $_, 2 ] for @lines;

    my $length = $response->header('Content-Length');
    my $coding = $response->header('Transfer-Encoding') || '';
    if ($self->{method} eq 'HEAD' || $response->{status} =~ /\A(?:204|304)\z/) {
        $self->{left} = 0;
        $self->{framing} = 'length';
    }
    elsif ($coding eq 'chunked') {
        $self->{framing} = 'chunked';
    }
    elsif (defined $length) {
        $self->{left} = $length;
        $self->{framing} = 'length';
    }
    else {
        $self->{framing} = 'close';
    }
    $response->{framing} = $self->{framing};
    return $self->{response} = $response;
}

# Read on: up to $limit bytes more of the body, or all of it. The response's {complete} is set at
# its end, if the framing says that it is one.
sub body {
    my ($self, $limit) = @_;
    my $response = $self->{response};
    my $have = length $response->{body};

    # who reads all of it is slow no longer
    setsockopt($self->{socket}, SOL_SOCKET, SO_RCVBUF, pack('i', 1 << 20)) unless defined $limit;
    until ($response->{complete}) {
        last if defined $limit && length($response->{body}) - $have >= $limit;
        my $step = $self->_body_step;
        last unless $step;
    }
    return $response;
}

sub _body_step {
    my $self = shift;
    my $response = $self->{response};

    if ($self->{framing} eq 'chunked' && !$self->{left}) {
        return $self->_chunk_head;
    }
    if ($self->{framing} ne 'close' && $self->{left} == 0) {
        return $response->{complete} = 1;
    }
    if ($self->{buffer} eq '' && !$self->_fill) {
        $response->{complete} = 1 if $self->{framing} eq 'close';
        return 0;
    }
    my $part = substr $self->{buffer}, 0,
        $self->{framing} eq 'close' ? length $self->{buffer} : $self->{left}, '';
    $response->{body} .= $part;
    $self->{left} -= length $part if $self->{framing} ne 'close';
    return 1;
}

sub _chunk_head {
    my $self = shift;
    my $response = $self->{response};

    until ($self->{buffer} =~ /\A(?:\r\n)?[0-9a-fA-F]+[^\r\n]*\r\n/) {
        $self->_fill or return 0;
    }
    $self->{buffer} =~ s/\A(?:\r\n)?([0-9a-fA-F]+)[^\r\n]*\r\n//;
    $self->{left} = hex $1;
    if ($self->{left} == 0) {
        until ($self->{buffer} =~ s/\A(?:[^\r\n]+\r\n)*\r\n//) {
            $self->_fill or return 0;
        }
        $response->{complete} = 1;
    }
    return 1;
}

# Wait for the server to end the connection.
sub drain {
    my $self = shift;
    while ($self->_fill) {
        $self->{buffer} = '';
    }
    return;
}

# The answer to what was sent, head and body. undef: none at all.
sub answer {
    my $self = shift;
    $self->head or return;
    return $self->body;
}

# The whole exchange. undef: no answer at all.
sub request {
    my $self = shift;
    return $self->send(@_)->answer;
}

# ---- the origin's bodies -------------------------------------------------------------------------

sub body_identity {
    my ($path, $seed, $variant) = @_;
    my $hash = unpack 'q', pack 'Q', 0xcbf29ce484222325;
    use integer;
    for my $byte (unpack 'C*', join '?', $path, $seed, $variant) {
        $hash ^= $byte;
        $hash *= 0x100000001b3;
    }
    no integer;
    return unpack 'Q', pack 'q', $hash;
}

sub body_text {
    my ($identity, $size) = @_;
    my $letters = join('', 'a' .. 'z') x 3;
    my $first = $identity % 26;
    my $prefix = sprintf '%016x', $identity;
    my $text = '';

    for my $line (0 .. int(($size + 63) / 64) - 1) {
        my $word = substr $letters, ($first + $line) % 26, 35;
        $text .= sprintf "%s %010d %s\n", $prefix, $line, $word;
    }
    return substr $text, 0, $size;
}

# ---- a response ----------------------------------------------------------------------------------

package Storer::Response;

sub status   { return $_[0]{status} }
sub content  { return $_[0]{body} }
sub complete { return $_[0]{complete} }
sub framing  { return $_[0]{framing} }

# All lines of a header joined; undef: none.
sub header {
    my ($self, $name) = @_;
    my @values = map { $_->[1] } grep { lc $_->[0] eq lc $name } @{ $self->{headers} };
    return @values ? join ', ', @values : undef;
}

# What mod_cache made of the request: HIT, MISS, REVALIDATE, INVALIDATE or NONE (it took no part).
sub cache {
    my $self = shift;
    my $header = $self->header('X-Cache');
    return defined $header && $header =~ /\A(\w+) from / ? $1 : 'NONE';
}

1;
