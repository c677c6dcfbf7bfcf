# SPDX-License-Identifier: Apache-2.0
#
# A configuration that cannot be meant: refused, or accepted with a warning. Either message says what
# to write instead.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my $port = vars()->{port};

sub refused {
    my ($text, @says) = @_;
    my ($code, $output) = configtest($text);
    (my $name = $text) =~ s/\n/; /g;
    isnt($code, 0, "$name: refused");
    like($output, $_, 'the message says so') for @says;
    return $output;
}

sub warned {
    my ($text, @says) = @_;
    my ($code, $output) = configtest($text);
    (my $name = $text) =~ s/\n/; /g;
    is($code, 0, "$name: accepted");
    like($output, $_, 'with a warning') for @says;
    my @warnings = $output =~ /\[cache_storer:warn\]/g;
    is(scalar @warnings, 1, 'told once') or diag($output);
    return;
}

sub accepted {
    my $text = shift;
    my ($code, $output) = configtest($text);
    (my $name = $text) =~ s/\n/; /g;
    is($code, 0, "$name: accepted");
    is($output, "Syntax OK\n", 'without a word');
    return;
}

# ---- fields that clients need --------------------------------------------------------------------

for my $directive (qw(CacheStorerTagHeader CacheStorerPurgeHeader CacheStorerTargetedControl)) {
    for my $field (qw(ETag Vary content-type Cache-Control Set-Cookie)) {
        refused("$directive $field", qr/^$directive: '$field' is a field that clients need; name one/m);
    }
    accepted("$directive X-Of-My-Own");
    accepted("$directive none");
}
refused('CacheStorerTagHeader Surrogate-Key ETag', qr/'ETag' is a field that clients need/);

# ---- none beside names ---------------------------------------------------------------------------

for my $text ('CacheStorerTagHeader none xkey', 'CacheStorerTagHeader xkey none',
    'CacheStorerTargetedControl None xkey', 'CacheStorerNormalize Accept-Encoding none',
    'CacheStorerNormalize none User-Agent') {
    refused($text, qr/'none' stands alone: remove it, or the names beside it/);
}

# ---- sizes ---------------------------------------------------------------------------------------

refused('CacheStorerMaxFileSize 0', qr/with '0' no response would ever be stored;.*CacheEnable/);
refused("CacheStorerMinFileSize 2K\nCacheStorerMaxFileSize 1K",
    qr/CacheStorerMinFileSize 2048 is larger than CacheStorerMaxFileSize 1024.*lower the first/,
    qr/\(see line \d+ of \S+ and line \d+ of \S+\)/);
refused("CacheStorer memory size=8M\nCacheStorerMinFileSize 3M\nCacheEnable storer /",
    qr/CacheStorerMinFileSize 3145728 is larger than a quarter of the store \(size=8388608\)/,
    qr/lower it or enlarge the store/);
refused('CacheStorerMinFileSize 17M', qr/is larger than a quarter of the store \(size=67108864\)/);
accepted('CacheStorerMinFileSize 16M');
accepted("CacheStorer memory size=8M\nCacheStorerMinFileSize 2M\nCacheEnable storer /");
refused("CacheStorerMaxFileSize 1K\n<VirtualHost *:$port>\nCacheStorerMinFileSize 2K\n</VirtualHost>",
    qr/CacheStorerMinFileSize 2048 is larger than CacheStorerMaxFileSize 1024/);
my $output = refused("CacheStorerMinFileSize 2K\nCacheStorerMaxFileSize 1K\n"
    . "<VirtualHost *:$port>\nCacheStorerStale 1h\n</VirtualHost>", qr/is larger/);
is(scalar(() = $output =~ /is larger/g), 1, 'what a virtual host takes over is told once');

# ---- a field with two meanings -------------------------------------------------------------------

refused('CacheStorerPurgeHeader cache-tag',
    qr/CacheStorerPurgeHeader cache-tag is one of the fields of CacheStorerTagHeader.*name another/);
refused("CacheStorerTagHeader xkey\n<VirtualHost *:$port>\nCacheStorerPurgeHeader xkey\n</VirtualHost>",
    qr/is one of the fields of CacheStorerTagHeader/);
accepted("CacheStorerTagHeader xkey\nCacheStorerPurgeHeader Cache-Tag");

# ---- a freshness for what is never stored --------------------------------------------------------

for my $status (qw(206 304 407 431 511 100 1xx)) {
    refused("CacheStorerTTL $status 1h", qr/a response with status '$status' is never stored; remove/);
}
accepted("CacheStorerTTL $_ 1h") for qw(404 5xx 2xx 403 599);
refused('CacheStorerTTL 404', qr/behind '404' the time is missing/);

# ---- the store -----------------------------------------------------------------------------------

refused('CacheStorer size=64M', qr/'size=64M' is an option, and the engine before it is missing/,
    qr/write "memory size=64M"/);
refused('CacheStorer memory 64M', qr/'64M' is not of the form OPTION=VALUE; write size=64M/);
refused('CacheStorer Memory', qr/unknown storage engine "Memory"/, qr/write "memory", in lower case/);
refused('CacheStorer', qr/a value is missing/, qr/default: memory size=64M/);
refused('CacheStorer memory name=../../x', qr/name=\.\.\/\.\.\/x: expected letters, digits/,
    qr/such as name=images/);
accepted("CacheStorer memory name=images-2.a_b\nCacheEnable storer /");
$output = refused('CacheStorer memory size=huge', qr/Syntax: CacheStorer ENGINE.*default: memory size=64M/);
like($output, qr/\(see line \d+ of \S+\)/, 'with line and file');

for my $text ('CacheStorerBypass on', 'CacheStorerBypass off') {
    refused($text, qr/'o\w+' is not an expression: a condition is expected, as in "%\{HTTP_COOKIE\}/);
}

# ---- without effect ------------------------------------------------------------------------------

warned('CacheStorer memory', qr/nothing is cached in this store.*add "CacheEnable storer \/"/,
    qr/\(see line \d+ of \S+\)/);
warned("CacheEnable storer /\n<VirtualHost *:$port>\nServerName a.test\n</VirtualHost>\n"
    . 'CacheEnable store /',
    qr/CacheEnable store \/: no module is loaded that provides the storage 'store'.*'storer'/);
warned("<Location \"/a\">\nCacheEnable nosuch\n</Location>", qr/provides the storage 'nosuch'/);
warned("<VirtualHost *:$port>\nServerName a.test\nCacheStorer memory size=2M\n</VirtualHost>",
    qr/CacheStorer memory size=2M: nothing is cached in this store/);
accepted("CacheStorer memory size=2M\n<VirtualHost *:$port>\nServerName a.test\nCacheEnable storer /\n"
    . '</VirtualHost>');
accepted("CacheStorer memory size=2M\n<Location \"/a\">\nCacheEnable storer\n</Location>");
accepted("CacheEnable storer /\n<VirtualHost *:$port>\nServerName a.test\nCacheStorer memory size=2M\n"
    . '</VirtualHost>');

# ---- told twice ----------------------------------------------------------------------------------

warned("CacheStorerStale 1h\nCacheStorerStale 2h",
    qr/CacheStorerStale 2h in line \d+ of \S+ replaces CacheStorerStale 1h in line \d+ of \S+; remove/);
warned("<VirtualHost *:$port>\nServerName a.test\nCacheStorerStatus on\nCacheStorerStatus off\n"
    . '</VirtualHost>', qr/CacheStorerStatus off in .* replaces CacheStorerStatus on in/);
warned("<Location \"/a\">\nCacheStorerAccess check\nCacheStorerAccess ignore\n</Location>",
    qr/CacheStorerAccess ignore in line \d+ of \S+ replaces another one of the same section; remove/);
accepted("<Location \"/a\">\nCacheStorerAccess check\n</Location>\n"
    . "<Location \"/a\">\nCacheStorerAccess ignore\n</Location>");
accepted("CacheStorerStale 1h\nCacheStorerStale 1h");
accepted("CacheStorerStale 1h\n<VirtualHost *:$port>\nServerName a.test\nCacheStorerStale 2h\n"
    . '</VirtualHost>');
accepted("CacheStorerTTL 404 1h\nCacheStorerTTL 410 1h");
accepted("CacheStorerBypass \"-n req('A')\"\nCacheStorerBypass \"-n req('B')\"");

finish();
