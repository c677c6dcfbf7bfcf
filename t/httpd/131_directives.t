# SPDX-License-Identifier: Apache-2.0
#
# The table of directives, as httpd and an admin see it: mod_info prints each with its syntax and its
# default; the default is a value that the directive takes; a wrong value is refused in one form, which
# names the directive, the value, the syntax and the default; virtual hosts take over what they do not
# set themselves. docs/reference.md says what mod_info prints, and its examples are accepted.
use strict;
use warnings;

use File::Basename qw(dirname);
use Storer::Test;
use Test::More;

# A line of the configuration, inside the section that it needs.
sub check_line {
    my $line = shift;
    return configtest($line =~ /^CacheStorerPurge / ? "<Location \"/\">\n$line\n</Location>" : $line);
}

# ---- mod_info ------------------------------------------------------------------------------------

my $page = fetch('/server-info?mod_cache_storer.c')->{body};
$page =~ s/<[^>]*>//g;
$page =~ s/&lt;/</g;
$page =~ s/&gt;/>/g;
my %known;
while ($page =~ /^(?:Module Directives:\s*)?(CacheStorer\w*)\s*-\s*.*?Syntax: (\1 .*?); default: (.*?)\s*$/mg) {
    $known{$1} = { syntax => $2, default => $3 };
}
cmp_ok(scalar keys %known, '>=', 22, 'mod_info: prints the directives, each with syntax and default')
    or diag(join ' ', sort keys %known, $page);

# ---- docs/reference.md --------------------------------------------------------------------------

open my $handle, '<', dirname(__FILE__) . '/../../docs/reference.md' or die "docs/reference.md: $!";
my (undef, @sections) = split /^## (?=CacheStorer)/m, do { local $/ = undef; <$handle> };
close $handle or die "docs/reference.md: $!";
for my $section (@sections) {
    my ($name) = $section =~ /^(\w+)/;
    my ($syntax) = $section =~ /^- \*\*Syntax:\*\* `(.*)`$/m;
    my ($default) = $section =~ /^- \*\*Default:\*\* (.*)$/m;
    my ($example) = $section =~ /^Example:\n\n(?:<!--.*-->\n\n)?((?: {4}.*\n)+)/m;
    $default =~ s/^`$name (.*)`$/$1/;
    is($syntax, $known{$name}{syntax}, "$name: its syntax is that of mod_info");
    is($default, $known{$name}{default}, 'and its default');
    my ($status, $printed) = configtest($example);
    is($status, 0, 'the example is accepted') or diag($printed);
}
is(scalar @sections, scalar keys %known, 'each directive of mod_info has a section');

# ---- defaults ------------------------------------------------------------------------------------

for my $name (sort keys %known) {
    next if $name =~ /^CacheStorer(?:Bypass|KeyQuery|MaxFileSize|TTL)$/; # these have none
    my ($code, $output) = check_line("$name $known{$name}{default}");
    is($code, 0, "$name $known{$name}{default}: the default is a value that it takes")
        or diag($output);
}

# ---- wrong values --------------------------------------------------------------------------------

my %wrong = (
    CacheStorer => 'memory =64M', CacheStorerBypass => '"%{nonsense"',
    CacheStorerPurgeHeader => 'a:b', CacheStorerTagHeader => 'a:b',
    CacheStorerTargetedControl => 'a:b', CacheStorerNormalize => 'Cookie',
    CacheStorerTTL => 'nonsense 1h', CacheStorerStatus => 'nonsense', CacheStorerKeyQuery => 'nonsense',
);
for my $name (sort keys %known) {
    my $value = $wrong{$name} || 'nonsense';
    my ($named) = $value =~ /(=64M|a:b|nonsense|Cookie)/;
    my $ending = quotemeta ". Syntax: $known{$name}{syntax}; default: $known{$name}{default}";
    my ($code, $output) = check_line("$name $value");
    isnt($code, 0, "$name $value: refused");
    like($output, qr/^\Q$name\E: .*\Q$named\E.*$ending$/m, 'with value, syntax and default')
        or diag($output);
    ($code, $output) = check_line("$name ");
    isnt($code, 0, "$name without a value: refused");
    like($output, qr/^\Q$name\E: .*\bmissing\b.*$ending$/m, 'with syntax and default');
}
for my $line ('CacheStorerStale 1h 2h', 'CacheStorerTTL 404 1h 2h', 'CacheStorerPurge on off',
    'CacheStorerStatus on a key detail more', 'CacheStorerBypass %{REQUEST_URI} == "/a"') {
    my ($code, $output) = check_line($line);
    isnt($code, 0, "$line: refused");
    like($output, qr/^CacheStorer\w+: '[^']+' is one word too many.*Syntax: .*default: /m,
        'because of one word too many');
}
my ($code, $output) = check_line('CacheStorerTTL 404 9223372036854s');
isnt($code, 0, 'CacheStorerTTL of more than 100 years: refused');
like($output, qr/^CacheStorerTTL: '9223372036854s' is longer than 100 years/m, 'and why');

# ---- virtual hosts -------------------------------------------------------------------------------

# What a virtual host takes over shows where it contradicts what it sets itself.
my $port = vars()->{port};
for my $case (
    [ 1, 'takes over a value', 'CacheStorerMaxFileSize 1K', 'CacheStorerMinFileSize 2K' ],
    [ 0, 'has its own', 'CacheStorerMaxFileSize 1K', "CacheStorerMinFileSize 2K\nCacheStorerMaxFileSize 4K" ],
    [ 0, 'has its own, which is the default', 'CacheStorerMinFileSize 2K',
        "CacheStorerMinFileSize 0\nCacheStorerMaxFileSize 1K" ],
    [ 1, 'takes over a list', 'CacheStorerTagHeader xkey', 'CacheStorerPurgeHeader xkey' ],
    [ 0, 'has a list of its own', 'CacheStorerTagHeader xkey',
        "CacheStorerTagHeader none\nCacheStorerPurgeHeader xkey" ],
    [ 1, 'takes over the default', 'CacheStorerStale 1h', 'CacheStorerPurgeHeader Cache-Tag' ],
) {
    my ($contradicts, $name, $main, $host) = @$case;
    ($code, $output) = configtest("$main\n<VirtualHost *:$port>\nServerName a.test\n$host\n</VirtualHost>");
    is($code != 0, $contradicts != 0, "a virtual host $name") or diag($output);
}

finish();
