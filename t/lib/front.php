<?php
// A page of its own for each URL, and another one each time. The tests put it where the rules look for it.
header('Content-Type: text/html');
echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['REQUEST_URI'], "\nrun ", bin2hex(random_bytes(8)), "\n";
