# SPDX-License-Identifier: Apache-2.0
#
# The admin page, in a real browser: it shows what is stored, finds it, shows one entry, and purges
# after a confirmation. STORER_SCREENSHOTS=FOLDER keeps pictures of it.
use strict;
use warnings;

use Storer::Browser;
use Storer::Test;
use Test::More;

plan skip_all => 'there is no Chromium to look at the page with' unless Storer::Browser::program();

my $port = vars->{port};
my $site = "http://127.0.0.2:$port";
my $pictures = $ENV{STORER_SCREENSHOTS};

sub stored {
    my ($path, %option) = @_;
    my $target = target($path, cc => 'max-age=600', etag => 'auto', %option);
    fetch($target);
    is_cache(fetch($target), 'HIT', "$path is stored");
    return $target;
}

my $wanted = stored('/290/wanted', h => 'Surrogate-Key: 290-tag', body => 3000);
my $markup = stored('/290/%3Cimg%20src=x%20onerror=document.title=1%3E',
    h => [ 'Surrogate-Key: <b>290</b>', 'X-Evil: <script>document.title=1</script>' ]);
fetch($wanted) for 1 .. 70;

my $browser = Storer::Browser->new;
$browser->go("$site/cache-main");

ok($browser->wait_until('document.querySelectorAll("#top-keys tr").length > 1'), 'top keys appear');
ok($browser->wait_until('document.querySelectorAll("#tiles .tile").length >= 6'), 'and tiles');
like($browser->value('document.querySelector("#top-keys").textContent'), qr{/290/wanted.*hits},
    'what is popular is among them');
like($browser->value('document.querySelector("#top-tags").textContent'), qr{290-tag}, 'and its tag');
like($browser->value('document.querySelector("#stores").textContent'), qr/memory.* used, .* free/,
    'the store');
ok(!$browser->value('document.documentElement.scrollWidth > innerWidth'), 'it fits on a desk');

sub search_for {
    my $pattern = shift;
    $browser->value(qq{
        document.querySelector('#search').pattern.value = '$pattern';
        document.querySelector('#found').replaceChildren();
        document.querySelector('#found-note').textContent = '';
        document.querySelector('#search').requestSubmit(); 1});
    return;
}

sub has_found {
    return $browser->wait_until('document.querySelectorAll("#found tr").length > 0
        || document.querySelector("#found-note").textContent');
}

search_for('/290/wanted');
has_found();
is($browser->value('document.querySelectorAll("#found tr").length'), 1, 'the search finds it');
$browser->screenshot("$pictures/page-light.png") if $pictures;
$browser->resize(390, 844, 'dark');
ok(!$browser->value('document.documentElement.scrollWidth > innerWidth'), 'it fits on a phone');
$browser->screenshot("$pictures/page-phone-dark.png") if $pictures;
$browser->resize(1200, 900);

my $long = stored('/290/long/' . 'x' x 3900);
search_for('/290/long/');
has_found();
cmp_ok($browser->value('document.querySelector("#found button").offsetHeight'), '<=',
    4 * $browser->value('parseFloat(getComputedStyle(document.body).lineHeight)'),
    'a URL of 4 KB takes a few lines');
$browser->screenshot("$pictures/page-long.png") if $pictures;
search_for('/290/wanted');
has_found();

$browser->value('document.querySelector("#found button").click(); 1');
ok($browser->wait_until('document.querySelector("#entry").open'), 'an entry opens');
my $entry = $browser->value('document.querySelector("#entry").textContent');
like($entry, qr{/290/wanted}, 'the one that was asked for');
like($entry, qr/fresh.*served without a question for \d+ s more/s, 'with its state');
like($entry, qr/290-tag/, 'its tags');
like($entry, qr/2\.9 KB/, 'and its size');
$browser->screenshot("$pictures/page-entry.png") if $pictures;

$browser->value('document.querySelector("#entry [data-purge=hard]").click(); 1');
ok($browser->wait_until('document.querySelector("#confirm").open'), 'a purge asks first');
like($browser->value('document.querySelector("#confirm").textContent'), qr{the URL .*/290/wanted},
    'what it is about to do');
$browser->value('document.querySelector("#confirm [data-close]").click(); 1');
ok($browser->wait_until('!document.querySelector("#confirm").open'), 'no');
is_cache(fetch($wanted), 'HIT', 'then nothing happens');
$browser->value('document.querySelector("#entry [data-purge=hard]").click(); 1');
ok($browser->wait_until('document.querySelector("#confirm").open'), 'again');
$browser->value('document.querySelector("#confirm [data-yes]").click(); 1');
ok($browser->wait_until('!document.querySelector("#entry").open'), 'yes');
is_cache(fetch($wanted), 'MISS', 'and it is gone');

search_for('onerror');
ok($browser->wait_until('document.querySelectorAll("#found tr").length === 1
    && document.querySelector("#found").textContent.includes("onerror")'), 'a key with markup is listed');
$browser->value('document.querySelector("#found button").click(); 1');
ok($browser->wait_until('document.querySelector("#entry").open'), 'and opened');
is($browser->value('document.title'), 'Cache', 'as text: no script of it has run');
is($browser->value('document.querySelectorAll("img, b b, #entry script").length'), 0, 'nor any markup');

$browser->value('document.querySelector("#entry").close(); 1');
search_for('(');
ok($browser->wait_until('document.querySelector("#notice").textContent.includes("the pattern (")'),
    'a bad pattern is told so');
is(join("\n", grep { !/status of 40[04]/ } $browser->complaints), '', 'the browser has no complaint');

undef $browser;
finish();
