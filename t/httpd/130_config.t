# SPDX-License-Identifier: Apache-2.0
#
# What a configuration may say: each error names the directive and the value; virtual hosts inherit,
# override, share a storage and are kept apart.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my $port = vars()->{port};

# ---- what is wrong -------------------------------------------------------------------------------

for my $case (
    [ 'CacheStorer' => '' ],
    [ 'CacheStorer' => 'nosuchengine' ],
    [ 'CacheStorer' => 'nosuchengine size=10M', 'nosuchengine' ],
    [ 'CacheStorer' => 'memory size=huge', 'huge' ],
    [ 'CacheStorer' => 'memory size=-1', '-1' ],
    [ 'CacheStorer' => 'memory size=10X', '10X' ],
    [ 'CacheStorer' => 'memory size=1.5M', '1.5M' ],
    [ 'CacheStorer' => 'memory size=', 'size=' ],
    [ 'CacheStorer' => 'memory size=1', 'size=1' ],
    [ 'CacheStorer' => 'memory size=99999999999999999999', '99999999999999999999' ],
    [ 'CacheStorer' => 'memory size=64M colour=red', 'colour' ],
    [ 'CacheStorer' => 'memory size', 'size' ],
    [ 'CacheStorer' => 'memory =64M', '=64M' ],
    [ 'CacheStorer' => 'memory size=1M size=2M', 'size' ],
    (map { [ 'CacheStorerStale' => $_ ] } qw(abc -5s 5y 1d2h 36501d 9223372036854s 99999999999999999999d), '""'),
    [ 'CacheStorerCollapse' => 'on 9223372036854s', '9223372036854s' ],
    (map { [ $_ => '9223372036854s' ] } qw(CacheStorerStaleWhileRevalidate CacheStorerStaleIfError)),
    (map { my $name = $_; map { [ $name => $_ ] } qw(abc -1 10X 1e6 99999999999999999999G), '""' }
        qw(CacheStorerMaxFileSize CacheStorerMinFileSize)),
    (map { [ 'CacheStorerMaxVariants' => $_ ] } qw(abc 0 -1 1.5 10x 99999999999999999999), '""'),
    (map { [ 'CacheStorerCompression' => $_ ] } qw(gzip on lz4none), '""'),
) {
    my ($directive, $value, $named) = @$case;
    $named = $value eq '""' ? '' : $value unless defined $named;
    my ($code, $output) = configtest("$directive $value");
    isnt($code, 0, "$directive $value: refused");
    like($output, qr/\b$directive\b/, "$directive $value: names the directive");
    like($output, qr/\Q$named\E/, "$directive $value: names the value") if length $named;
}

for my $directive (qw(CacheStorerStale CacheStorerMaxFileSize CacheStorerMinFileSize
    CacheStorerMaxVariants CacheStorerCompression)) {
    my ($code, $output) = configtest($directive);
    isnt($code, 0, "$directive without a value: refused");
    like($output, qr/\b$directive\b/, 'by name');
    ($code, $output) = configtest("<Location \"/a\">\n$directive 1\n</Location>");
    isnt($code, 0, "$directive in a Location: refused");
    like($output, qr/\b$directive\b/, 'by name');
}

# in a virtual host as well
my ($code, $output) = configtest("<VirtualHost *:$port>\nCacheStorer memory size=wrong\n</VirtualHost>");
isnt($code, 0, 'a wrong value in a virtual host: refused');
like($output, qr/CacheStorer.*wrong/s, 'by directive and value');

($code, $output) = configtest('CacheStorer nosuchengine size=10M');
like($output, qr/\bknown: memory\b/, 'an unknown engine: the known ones are named');
like($output, qr/LoadModule cache_storer_nosuchengine_module modules\/mod_cache_storer_nosuchengine\.so/,
    'and the line that is probably missing');

# a second store: where the first one is configured, and the cure
for my $case ([ 'CacheStorer memory', 'memory size=1M' ], [ 'CacheStorer nosuchengine', 'memory' ]) {
    my ($first, $second) = @$case;
    ($code, $output) = configtest("\n\n$first\nCacheStorer $second");
    isnt($code, 0, "$first, then $second: refused");
    my ($named) = $output =~ /this server already has '$first' in (line \d+ of \S+)\./;
    ok($named, 'the first one is named with line and file');
    my ($own) = $output =~ /error on line (\d+) of/;
    is($named =~ /line (\d+)/ && $1, $own - 1, 'it is the line before');
    like($output, qr/change that line, or remove it/, 'and what to do');
}

# ---- what is right -------------------------------------------------------------------------------

for my $text ('', 'CacheStorer memory', 'CacheStorer memory size=1M', 'CacheStorer memory size=1G',
    'CacheStorer memory size=2097152', (map { "CacheStorerStale $_" } qw(0 10 500ms 3s 2min 1h 7d)),
    'CacheStorerMaxFileSize 10M', 'CacheStorerMaxFileSize 1G', "CacheStorerMinFileSize 0",
    'CacheStorerMaxVariants 1', 'CacheStorerMaxVariants 1000',
    (map { "CacheStorerCompression $_" } qw(auto lz4 none LZ4)), 'CacheEnable storer /',
    "<VirtualHost *:$port>\nCacheStorer memory size=2M\nCacheStorerStale 1h\n</VirtualHost>") {
    # a store that nothing uses is warned of, see 132
    ($code, $output) = configtest($text =~ /^CacheStorer memory/m ? "$text\nCacheEnable storer /" : $text);
    is($code, 0, ($text eq '' ? 'nothing at all' : $text) . ': accepted');
    is($output, "Syntax OK\n", 'without a word');
}

# ---- virtual hosts -------------------------------------------------------------------------------

my $target = target('/130/shared', body => 1500, cc => 'max-age=600');
is_cache(fetch($target, host => 'share-a.test'), 'MISS', 'one virtual host');
my $response = fetch($target, host => 'share-b.test');
is_cache($response, 'HIT', 'another one with the same storage and the same key');
is_body($response, '/130/shared', size => 1500);
$response = fetch($target, host => 'apart.test');
is_cache($response, 'MISS', 'one with a storage of its own, the key being the same');
is_cache(fetch($target, host => 'apart.test'), 'HIT', 'which keeps it for itself');
fetch($target, host => 'apart.test', method => 'POST', body => 'x=1');
is_cache(fetch($target, host => 'share-a.test'), 'HIT', 'and changes there change nothing here');

# keys of different hosts in one storage
my $same = target('/130/same', body => 1500, cc => 'max-age=600');
is_cache(fetch($same), 'MISS', 'one host');
is_cache(fetch($same, host => 'limits.test'), 'MISS', 'another host');
is_cache(fetch($same), 'HIT', 'one host again');
is_cache(fetch($same, host => 'limits.test'), 'HIT', 'another host again');

finish();
