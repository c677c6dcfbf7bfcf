# SPDX-License-Identifier: Apache-2.0
#
# storerctl: each command, by the API and without it, in words and in JSON, and its exit codes.
use strict;
use warnings;

use JSON::PP ();
use Storer::Test;
use Storer::Tool;
use Test::More;

plan skip_all => 'storerctl is not built: there is no libcurl' unless tool_is_built();

my $port = vars->{port};
my $logs = vars->{t_logs};
my $api = "http://127.0.0.2:$port/cache-main";
my $json = JSON::PP->new->utf8->allow_nonref;

sub by_api { return run_tool('--url', $api, @_) }

sub stored {
    my ($path, $host, %option) = @_;
    my $target = target($path, cc => 'max-age=600', %option);
    fetch($target, host => $host);
    is_cache(fetch($target, host => $host), 'HIT', "$path is stored");
    return $target;
}

my $target = stored('/300/one', 'admin.test', h => 'Surrogate-Key: 300-tag');
my $url = "http://admin.test$target";
my @other = map { stored("/300/more/$_", 'admin.test') } 'a' .. 'e';

# ---- looking -------------------------------------------------------------------------------------

{
    my ($code, $output) = by_api('list', '/300/');
    is($code, 0, 'list');
    my @keys = split /\n/, $output;
    is(@keys, 6, 'each key a line');
    is_deeply(\@keys, [ sort @keys ], 'in order');
    ($code, $output) = by_api('list', '--json', '--limit', 2, '/300/');
    is_deeply([ map { $json->decode($_) } split /\n/, $output ], [ @keys[0, 1] ], 'as JSON, and no more');
    my $errors;
    ($code, $output, $errors) = by_api('list', 'no-such-thing');
    is($code, 1, 'nothing found');
    like($errors, qr/no key matches "no-such-thing"/, 'says so');
    ($code, $output, $errors) = by_api('list', '(');
    is($code, 2, 'a bad pattern');
    like($errors, qr/the pattern \(/, 'says so');
}
{
    my ($code, $output) = by_api('show', $url);
    is($code, 0, 'show');
    like($output, qr/^\Q$url\E\n  state +fresh: served without a question for \d+ s more$/m, 'the state');
    like($output, qr/^  tags +300-tag$/m, 'the tags');
    ($code, $output) = by_api('--json', 'show', $url);
    is($json->decode($output)->{variants}[0]{status}, 200, 'as JSON');
    is((by_api('show', 'http://admin.test/300/none'))[0], 1, 'what is not stored');
}
{
    my $file = "$logs/cache_storer.stats";
    my ($code, $output) = run_tool('--stats', $file, 'stats');
    is($code, 0, 'stats, from the file alone');
    like($output, qr/^hit ratio +[\d.]+ %$/m, 'the ratio');
    like($output, qr/^admin\.test +\d+ +\d+ +[\d.]+%$/m, 'by site');
    ($code, $output) = run_tool('--stats', $file, '--json', 'stats');
    cmp_ok($json->decode($output)->{total}{hits}, '>=', 6, 'as JSON');
    ($code, $output) = by_api('stats');
    like($output, qr/^memory +[\d.]+[KM] +64\.0M +\d+ +\d+$/m, 'by the API: and stores');
    my $errors;
    ($code, $output, $errors) = run_tool('--stats', "$logs/no-such-file", 'stats');
    is($code, 3, 'no such file');
    like($errors, qr/no-such-file: No such file.*is httpd running/, 'says so');
    write_file("$logs/other", 'x' x 5000);
    is((run_tool('--stats', "$logs/other", 'stats'))[0], 3, 'what is no file of counters');
    ($code, $output) = run_tool('--stats', $file, 'top', '-i', '0.05', '-n', 2);
    is(() = $output =~ /hit ratio/g, 2, 'top: two looks');
    ($code, $output) = run_tool('--stats', $file, '--json', 'top', '-i', '0.05', '-n', 2);
    is((grep { defined $json->decode($_)->{hits_per_second} } split /\n/, $output), 2, 'as JSON');
}

# ---- purging -------------------------------------------------------------------------------------

sub purges {
    my ($what, $arguments, $gone) = @_;
    my ($code, $output) = by_api('purge', @$arguments);
    is($code, 0, "purge $what");
    is_cache(fetch($gone, host => 'admin.test'), 'MISS', "purge $what: it is gone");
    fetch($gone, host => 'admin.test');
    return $output;
}

purges('a URL', [ uri => $url ], $target);
purges('a tag', [ tag => '300-tag' ], $target);
like(purges('a prefix', [ 'uri-prefix' => 'http://admin.test/300/more' ], $other[0]), qr/^purged 5$/,
    'and tells how many');
purges('a host', [ host => 'admin.test' ], $target);
purges('a pattern', [ pattern => '/300/o.e' ], $target);
{
    my ($code, $output) = by_api('--soft', '--json', 'purge', 'uri', $url);
    is($json->decode($output)->{purge}, JSON::PP::false, 'softly');
    is((by_api('purge'))[0], 2, 'purge what?');
    is((by_api('purge', 'uri'))[0], 2, 'which?');
    is((by_api('purge', 'everything', 'x'))[0], 2, 'everything, and then some');
    is((by_api('purge', 'uri', '/path'))[0], 2, 'what is no URL');
}

# ---- what can go wrong ---------------------------------------------------------------------------

{
    expect_log(qr/CS0521.*administration is refused for \/cache-open/);
    is((run_tool('--url', "http://127.0.0.1:$port/cache-open", '-H', 'Host: admin.test', 'list'))[0], 4,
        'refused');
    is((run_tool('--url', 'http://127.0.0.1:1/', 'list'))[0], 3, 'nobody there');
    is((run_tool('--url', "http://127.0.0.1:$port/", 'list'))[0], 5, 'something else is there');
    is((run_tool('--nonsense'))[0], 2, 'an unknown option');
    is((run_tool('nonsense'))[0], 2, 'an unknown command');
    is((run_tool('--rate', 'x', 'list'))[0], 2, 'what is no number');
    like((run_tool('--help'))[1], qr/usage: storerctl/, 'help');
}

# ---- warming -------------------------------------------------------------------------------------

my $warm = "http://127.0.0.1:$port/300/warm";

sub page { return "$warm/$_[0]?cc=max-age%3D600" }

sub is_warm {
    my ($name, $what) = @_;
    return is_cache(fetch("/300/warm/$name?cc=max-age%3D600"), 'HIT', $what);
}

sub sitemap {
    my ($prefix, @locations) = @_;
    my $colon = $prefix ? "$prefix:" : '';
    my $xmlns = $prefix ? "xmlns:$prefix" : 'xmlns';
    return join '', qq(<?xml version="1.0" encoding="UTF-8"?>\n),
        qq(<${colon}urlset $xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">),
        (map { "<${colon}url><${colon}loc>$_</${colon}loc></${colon}url>\n" } @locations),
        "</${colon}urlset>";
}

sub warm {
    my ($name, $text, @options) = @_;
    my $file = $text =~ /\Ahttp:/ ? $text : write_file("$logs/$name", $text);
    return run_tool('--rate', 1000, @options, 'warm', $file);
}

{
    my ($code, $output, $errors) = warm('sitemap.xml', sitemap('', "\n " . page(1) . ' ',
        page(2) . '&amp;a=1', '<![CDATA[' . page(3) . '&b=2]]>', page('&#52;'), # 4
        '<!-- a comment -->' . page(5)));
    is($code, 0, 'warm: a sitemap');
    is($output, "fetched 5, failed 0\n", 'says what it did');
    is($errors, '', 'and has nothing to complain of');
    is_warm('1', 'a URL with white space around it');
    is(fetch('/300/warm/2?cc=max-age%3D600&a=1')->cache, 'HIT', 'a URL with an entity');
    is(fetch('/300/warm/3?cc=max-age%3D600&b=2')->cache, 'HIT', 'a URL in CDATA');
    is_warm('4', 'a URL with a character reference');
    is_warm('5', 'a URL behind a comment');
}
{
    my ($code, $output) = warm('prefixed.xml', sitemap('sm', page(10)));
    is($output, "fetched 1, failed 0\n", 'a sitemap whose namespace has a prefix');
    is_warm('10', 'its URL');
}
{
    require IO::Compress::Gzip;
    my $text = sitemap('', page(11));
    IO::Compress::Gzip::gzip(\$text, \my $packed) or die 'gzip';
    my ($code, $output) = warm('sitemap.xml.gz', $packed);
    is($output, "fetched 1, failed 0\n", 'a sitemap that is compressed');
    is_warm('11', 'its URL');
    my $errors;
    ($code, $output, $errors) = warm('short.xml.gz', substr $packed, 0, 40);
    is($code, 1, 'a compressed sitemap that was cut short');
    like($errors, qr/short\.xml\.gz: cannot be decompressed/, 'is refused by name');
}
{
    # a sitemap index, over HTTP: one absolute, one relative, one missing sitemap, and the index itself
    my $folder = vars->{documentroot} . '/300';
    -d $folder or mkdir $folder or die "$folder: $!";
    my $base = "http://127.0.0.2:$port/300";
    write_file("$folder/a.xml", sitemap('', page(20)));
    write_file("$folder/b.xml", sitemap('', '/300/c.txt'));
    write_file("$folder/c.txt", "a page\n");
    write_file("$folder/index.xml", '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        . (join '', map { "<sitemap><loc>$_</loc></sitemap>" } "$base/a.xml", 'b.xml', "$base/none.xml",
            "$base/index.xml") . '</sitemapindex>');
    my ($code, $output, $errors) = warm('', "$base/index.xml");
    is($output, "fetched 2, failed 0, skipped 1\n", 'a sitemap index');
    is($code, 1, 'of which one sitemap is missing');
    like($errors, qr/none\.xml: .*404/, 'and is named');
    is_warm('20', 'the page of a sitemap in the index');
    unlink glob "$folder/*";
    rmdir $folder;
}
{
    my ($code, $output, $errors) = warm('bad.xml', '<urlset><url><loc>http://x/</loc>');
    is($code, 1, 'XML that is not well-formed');
    like($errors, qr/bad\.xml: .*XML/, 'is refused with the reason');
    ($code, $output, $errors) = warm('page.xml', '<html><body/></html>');
    like($errors, qr/page\.xml: expected a sitemap: .*not <html>/, 'and so is a page');
    ($code, $output, $errors) = warm('odd.xml', sitemap('', 'ftp://x/', page(30), '/relative')
        =~ s,</urlset>,<url/></urlset>,r);
    is($output, "fetched 1, failed 0, skipped 3\n", 'URLs that cannot be fetched are counted');
    like($errors, qr/"ftp:\/\/x\/" is not .*\n.*"\/relative" is not .*\n.*a <url> has no <loc>/,
        'and named');
    is($code, 1, 'and are no success');
}
{
    my ($code, $output, $errors) = warm('list', "# a comment\r\n" . page(40) . "\r\n\nnonsense\n"
        . "http://127.0.0.1:$port/300/warm/41?status=500", '--json');
    is($code, 1, 'a list, with an error in it');
    is_deeply($json->decode($output), { fetched => 1, failed => 1, skipped => 1 }, 'as JSON');
    like($errors, qr/list, line 4: "nonsense" is not an http or https URL/, 'the line is named');
    is((run_tool('warm', "$logs/no-such-file"))[0], 3, 'no such file');
    is((warm('empty', ''))[0], 1, 'nothing in it');
}
like((run_tool('--version'))[1], qr/\Astorerctl \d+\.\d+\.\d+\n\z/, '--version');

# ---- a store in a file ---------------------------------------------------------------------------

{
    my $store = "$logs/store.mem";
    my $path = stored('/300/file', 'file.test', h => 'Surrogate-Key: 300-file', body => 3000);
    my ($code, $output) = run_tool('--store', $store, 'list');
    is($code, 0, 'list, from the store itself');
    is($output, "http://file.test$path\n", 'its key');
    ($code, $output) = run_tool('--store', $store, 'show', "http://file.test$path");
    like($output, qr/^  status +200\n.*  tags +300-file$/ms, 'show');
    ($code, $output) = run_tool('check', $store);
    is($code, 0, 'check');
    like($output, qr/^in use: .*\nsound: 1 responses, 0 damaged, 1 mappings$/m, 'it is sound');
    is((run_tool('--store', $store, 'purge', 'tag', '300-file'))[0], 0, 'purge');
    is_cache(fetch($path, host => 'file.test'), 'MISS', 'is in effect for httpd');
    is_cache(fetch($path, host => 'file.test'), 'HIT', 'which stores it again');
    my $copy = "$logs/copy.mem";
    open my $in, '<:raw', $store or die "$store: $!";
    my $bytes = do { local $/ = undef; <$in> };
    $bytes =~ s/X-Identity/Y-Identity/g;
    write_file($copy, $bytes);
    ($code, $output) = run_tool('--json', 'check', $copy);
    is($code, 1, 'check: damage');
    my $told = $json->decode($output);
    ok(!$told->{sound} && $told->{damaged} == 1, 'is found');
    is((run_tool('check', $logs . '/other'))[0], 3, 'what is no store');
    is((run_tool('check'))[0], 2, 'check what?');
    is((run_tool('--store', $copy, 'top'))[0], 2, 'a command that does not take a store');
}

finish();
