# SPDX-License-Identifier: Apache-2.0
#
# Without a proxy: files of the server, and scripts whose output has no known length.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @local = (host => 'local.test');
my $folder = vars()->{documentroot} . '/120';

# a file that changes on the disk: a hit shows what it was
my $file = "$folder/changing.txt";
write_file($file, "first\n");
is_cache(fetch('/120/changing.txt', @local), 'MISS', 'a file');
write_file($file, "second, and longer\n");
for (1 .. 3) {
    my $response = fetch('/120/changing.txt', @local);
    is_cache($response, 'HIT', 'the file');
    is($response->content, "first\n", 'as it was stored');
}
my $response = fetch('/120/changing.txt', @local, headers => [ 'Cache-Control' => 'max-age=0' ]);
is($response->content, "second, and longer\n", 'revalidated: as it is');
is(fetch('/120/changing.txt', @local)->content, "second, and longer\n", 'and so from then on');

# large and empty ones
for my $size (0, 1, 100_000, 3_000_000) {
    my $text = substr body_of("/120/$size", size => $size), 0, $size;
    write_file("$folder/$size.txt", $text);
    for my $want (qw(MISS HIT HIT)) {
        $response = fetch("/120/$size.txt", @local);
        is_cache($response, $want, "a file of $size bytes");
        ok($response->complete && $response->content eq $text, "$want: its bytes");
    }
    if ($size > 1) {
        my $range = fetch("/120/$size.txt", @local, headers => [ Range => 'bytes=70000-70063' ]);
        is($range->status, 206, 'a range of it');
        is($range->content, substr($text, 70_000, 64), 'the bytes');
    }
    # httpd leaves out a zero
    is(fetch("/120/$size.txt", @local, method => 'HEAD')->header('Content-Length'), $size || undef,
        'HEAD: the length');
}

# a script: each run writes another number
my $first = fetch('/120/script.cgi?lines=2000', @local);
is_cache($first, 'MISS', 'a script');
is($first->status, 200, 'runs');
my ($number) = $first->content =~ /\Arun (\d+\.\d+)\n/;
ok($number, 'and tells its number');
is(($first->content =~ tr/\n//), 2001, 'and writes its lines');
for (1 .. 3) {
    my $hit = fetch('/120/script.cgi?lines=2000', @local);
    is_cache($hit, 'HIT', 'the script');
    ok($hit->complete && $hit->content eq $first->content, 'the output of the first run');
}
isnt(fetch('/120/script.cgi?lines=1', @local)->content, $first->content,
    'another query, another run');

my $failed = fetch('/120/script.cgi?status=500', @local);
is($failed->status, 500, 'a script that fails');
isnt(fetch('/120/script.cgi?status=500', @local)->content, $failed->content, 'is run again');

is(fetch('/120/none.txt', @local)->status, 404, 'a file that is not there');
write_file("$folder/none.txt", "now\n");
is(fetch('/120/none.txt', @local)->content, "now\n", 'until it is');

finish();
