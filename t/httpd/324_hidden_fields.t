# SPDX-License-Identifier: Apache-2.0
#
# What an application tells the cache (CacheStorerTagHeader, CacheStorerPurgeHeader) is obeyed and hidden from
# clients wherever it comes from: a path outside CacheEnable, a response that is stored, a 103.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @host = (host => 'purge.test');
my @fields = (h => [ 'Surrogate-Key: 324-tag', 'X-Purge-Tags: 324-other' ]);

sub is_hidden {
    my ($response, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($response->header($_), undef, "$name: no $_") for qw(Surrogate-Key X-Purge-Tags);
    return;
}

sub stored {
    my ($path, @more) = @_;
    my $target = target($path, cc => 'max-age=600', etag => 'auto', @more);
    fetch($target, @host);
    is_cache(fetch($target, @host), 'HIT', "$path is stored");
    return $target;
}

# ---- outside CacheEnable --------------------------------------------------------------------------

{
    my $target = stored('/324/tagged', h => 'Surrogate-Key: 324-outside');
    my $other = stored('/324/untagged');
    my $change = target('/outside/324/change', h => 'X-Purge-Tags: 324-outside');
    is_hidden(fetch($change, @host, method => 'GET'), 'GET outside');
    is_cache(fetch($target, @host), 'HIT', 'which purges nothing');
    my $failure = target('/outside/324/failure', status => 500, h => 'X-Purge-Tags: 324-outside');
    is_hidden(fetch($failure, @host, method => 'POST', body => 'x'), 'a POST outside that fails');
    is_cache(fetch($target, @host), 'HIT', 'nor does that');
    is_hidden(fetch($change, @host, method => 'POST', body => 'x'), 'a POST outside');
    is_cache(fetch($target, @host), 'MISS', 'purges by tag');
    is_cache(fetch($other, @host), 'HIT', 'and nothing else');
}
{
    my $target = stored('/324/tagged-again', h => 'Surrogate-Key: 324-redirect');
    my $change = target('/outside/324/redirect', status => 303,
        h => [ 'X-Purge-Tags: 324-redirect', 'Location: /' ]);
    is_hidden(fetch($change, @host, method => 'POST', body => 'x'), 'a POST outside that redirects');
    is_cache(fetch($target, @host), 'MISS', 'purges as well');
}
for my $status (200, 301, 404, 500) {
    is_hidden(fetch(target("/outside/324/$status", status => $status, @fields), @host),
        "a $status outside");
}
is(fetch(target('/outside/324/shown', h => 'Surrogate-Key: a'), host => 'tags-none.test')
        ->header('Surrogate-Key'), 'a', 'CacheStorerTagHeader none: it is shown');

# ---- stored ---------------------------------------------------------------------------------------

{
    my $target = target('/324/stored', cc => 'max-age=600', etag => 'auto', @fields);
    is_hidden(fetch($target, @host), 'a miss');
    my $hit = fetch($target, @host);
    is_cache($hit, 'HIT', 'stored');
    is_hidden($hit, 'a hit');
    my $confirmed = fetch($target, @host, headers => [ 'Cache-Control' => 'max-age=0' ]);
    is_cache($confirmed, 'REVALIDATE', 'confirmed by a 304 that has them');
    is_hidden($confirmed, 'confirmed');
    $hit = fetch($target, @host);
    is_cache($hit, 'HIT', 'stored again');
    is_hidden($hit, 'a hit after that');
}

# ---- interim responses ----------------------------------------------------------------------------

# All that comes over a connection on which these are asked for, the last with "Connection: close".
sub raw {
    my ($host, @targets) = @_;
    my $connection = connection();
    my $text = '';
    for my $target (@targets) {
        my @headers = $target eq $targets[-1] ? (Connection => 'close') : ();
        $connection->send('GET', $target, host => $host, headers => \@headers);
        my $end = time + 40;
        my $want = () = $text =~ m{^HTTP/1\.1 (?!1)}mg;
        # as far as the body of this one, which is "end-N"
        while ($text !~ /\Aend-$want\z|.*end-\Q$want\E\z/s && time < $end) {
            sysread $connection->{socket}, $text, 65536, length $text or last;
        }
    }
    $connection->close;
    return $text;
}

my $early = [ 'Link: </style.css>; rel=preload', 'Surrogate-Key: 324-early', 'X-Purge-Tags: 324-early',
    'cache-tag: 324-early', 'X-Kept: yes' ];
my $kept = stored('/324/early-kept', h => 'Surrogate-Key: 324-early');
for my $path ('/324/early', '/outside/324/early') {
    my @targets = map { target("$path/$_", cc => 'no-store', early => $early, text => "end-$_") } 0 .. 2;
    my $text = raw('purge.test', @targets);
    is(() = $text =~ m{HTTP/1\.1 103 }g, 3, "$path: three 103");
    is(() = $text =~ m{^HTTP/1\.1 200 }mg, 3, "$path: and three answers, on one connection");
    is(() = $text =~ m{^Link: </style\.css>; rel=preload\r$}mg, 3, "$path: Link passes");
    is(() = $text =~ m{^X-Kept: yes\r$}mg, 3, "$path: and so does the last one");
    unlike($text, qr/^(?:Surrogate-Key|X-Purge-Tags|Cache-Tag):/mi, "$path: no field for the cache");
}
is_cache(fetch($kept, @host), 'HIT', 'a 103 purges nothing');
{
    # longer than what httpd writes at once
    my $text = raw('purge.test', target('/324/long', cc => 'no-store', text => 'end-0', pad => 12,
        early => [ 'Surrogate-Key: 324-early', 'X-Last: yes' ]));
    is(() = $text =~ m{^X-Pad: x{1000}\r$}mg, 12, 'a long 103 is whole');
    like($text, qr/^X-Last: yes\r$/m, 'to its end');
    unlike($text, qr/^Surrogate-Key:/m, 'but for the field');
    like(raw('tags-none.test', target('/324/none', cc => 'no-store', text => 'end-0', early => $early)),
        qr/^Surrogate-Key: 324-early\r$/m, 'CacheStorerTagHeader none: it is shown');
}

finish();
