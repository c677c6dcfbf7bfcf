# SPDX-License-Identifier: Apache-2.0
#
# Sub-requests: what a page includes is stored and served on its own, and the look-ups that modules
# make before (lookup=1 in the quick handler) neither answer for it nor spoil it.
use strict;
use warnings;

use Storer::Test;
use Test::More;

# mod_include finds no file behind what is proxied, and says so
expect_log(qr/include:error.*(?:unable to lookup information|unable to get information)/);

my @local = (host => 'local.test');
my $path = '/090/included';
my $inner = body_of($path, size => 300, seed => 9);

# the page is not stored, what it includes is
for my $round (1 .. 3) {
    from_origin($path, $round == 1 ? 1 : 0, "the page, time $round", sub {
        my $page = fetch('/090/page.shtml', @local);
        is($page->status, 200, "the page, time $round");
        is_cache($page, 'MISS', 'the page itself');
        my ($first, $second) = $page->content =~ /<pre>(.*?)<\/pre>.*<pre>(.*?)<\/pre>/s;
        is($first, $inner, 'has what it includes');
        is($second, $inner, 'twice');
    });
}
my $direct = fetch('/origin/090/included?body=300&seed=9&cc=max-age%3D600', @local);
is_cache($direct, 'HIT', 'what was included, asked for directly');
is($direct->content, $inner, 'is the same');

# stored by a direct request, served to a sub-request
my $before = '/090/before';
is_body(fetch("/origin$before?body=200&cc=max-age%3D600", @local), $before, size => 200);
from_origin($before, 0, 'included later', sub {
    my $text = body_of($before, size => 200);
    like(fetch('/090/later.shtml', @local)->content, qr/<pre>\Q$text\E/,
        'the body of the hit');
});

# look-ups only: a file that is stored, and one that is not
is(fetch('/090/looked-up.html', @local)->status, 200, 'a file is stored');
is_cache(fetch('/090/looked-up.html', @local), 'HIT', 'the file');
for my $round (1 .. 3) {
    my $page = fetch('/090/lookup.shtml', @local);
    is($page->status, 200, "flastmod and fsize, time $round");
    like($page->content, qr/other: \d+/, 'of a file that is not stored');
    like($page->content, qr/END/, 'and the page goes on behind them');
}
is_cache(fetch('/090/looked-up.html', @local), 'HIT', 'the file after the look-ups');
is(fetch('/090/looked-up.html', @local)->content, "looked up\n", 'as it was');

# mod_dir's and mod_negotiation's
for my $want (qw(MISS HIT)) {
    my $response = fetch('/090/folder/', @local);
    is_cache($response, $want, 'a folder');
    is($response->content, "the index\n", 'answers with its index');
}
is(fetch('/090/folder', @local)->status, 301, 'a folder without its slash is redirected');
for my $language (qw(en de en de)) {
    my $response = fetch('/090/negotiated', @local, headers => [ 'Accept-Language' => $language ]);
    is($response->content, "in $language\n", "negotiated: $language");
}

finish();
