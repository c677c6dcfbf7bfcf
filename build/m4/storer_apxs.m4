dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl storer_apxs.m4 - finds apxs, and through it httpd, its headers, its module directory and APR.

dnl STORER_APXS_QUERY(SHELL-VARIABLE, NAME): what apxs says of NAME, or nothing.
AC_DEFUN([STORER_APXS_QUERY], [
  $1=`"$APXS" -q $2 2>/dev/null`
])

dnl STORER_APXS: sets and substitutes APXS, HTTPD, HTTPD_VERSION, HTTPD_SYSCONFDIR,
dnl HTTPD_MODULEDIR (where the installed modules are), HTTPD_CPPFLAGS, moduledir and headerdir
dnl (where ours and storer.h go). The httpd program is never run: a build for another machine, or one
dnl with the headers alone, does not have it. HTTPD is empty then, and what needs it are the tests.
AC_DEFUN([STORER_APXS], [
  AC_ARG_WITH([apxs],
    [AS_HELP_STRING([--with-apxs=PATH], [the apxs of the httpd to build for @<:@looked up in PATH@:>@])],
    [], [with_apxs=yes])
  AS_CASE([$with_apxs],
    [no], [AC_MSG_ERROR([the module cannot be built without apxs])],
    [yes], [AC_PATH_PROGS([APXS], [apxs apxs2], [], [$PATH$PATH_SEPARATOR/usr/local/apache2/bin])],
    [APXS=$with_apxs])
  AC_SUBST([APXS])
  AS_IF([test -z "$APXS" || test ! -x "$APXS"],
    [AC_MSG_ERROR([apxs not found${APXS:+ at $APXS}: install it (Debian: apache2-dev) or give --with-apxs=PATH])])
  STORER_APXS_PATHS
  STORER_APXS_HEADERS
])

AC_DEFUN([STORER_APXS_PATHS], [
  AC_ARG_VAR([HTTPD], [the httpd binary that the tests and the demo start])
  AC_ARG_WITH([module-dir],
    [AS_HELP_STRING([--with-module-dir=DIR], [install the module there @<:@what apxs says@:>@])],
    [moduledir=$withval], [STORER_APXS_QUERY([moduledir], [LIBEXECDIR])])
  AC_ARG_WITH([header-dir],
    [AS_HELP_STRING([--with-header-dir=DIR], [install storer.h there @<:@what apxs says@:>@])],
    [headerdir=$withval], [STORER_APXS_QUERY([headerdir], [INCLUDEDIR])])
  AC_SUBST([moduledir])
  AC_SUBST([headerdir])

  STORER_APXS_QUERY([HTTPD_MODULEDIR], [LIBEXECDIR])
  STORER_APXS_QUERY([HTTPD_RUNTIMEDIR], [runtimedir])
  AC_SUBST([HTTPD_RUNTIMEDIR])
  STORER_APXS_QUERY([HTTPD_SYSCONFDIR], [SYSCONFDIR])
  AC_SUBST([HTTPD_MODULEDIR])
  AC_SUBST([HTTPD_SYSCONFDIR])

  AC_MSG_CHECKING([for the httpd binary])
  AS_IF([test -z "$HTTPD"], [
    STORER_APXS_QUERY([storer_sbindir], [SBINDIR])
    STORER_APXS_QUERY([storer_progname], [PROGNAME])
    AS_IF([test -z "$storer_progname"], [STORER_APXS_QUERY([storer_progname], [TARGET])])
    HTTPD=$storer_sbindir/$storer_progname
    AS_IF([test ! -x "$HTTPD"], [HTTPD=])
  ])
  AS_IF([test -n "$HTTPD" && test ! -x "$HTTPD"],
    [AC_MSG_ERROR([HTTPD=$HTTPD is not a program])])
  AC_MSG_RESULT([${HTTPD:-none, so that only the tests without one can be run}])
])

AC_DEFUN([STORER_APXS_HEADERS], [
  STORER_APXS_QUERY([storer_includedir], [INCLUDEDIR])
  STORER_APXS_QUERY([storer_extra_cppflags], [EXTRA_CPPFLAGS])
  STORER_APXS_QUERY([storer_extra_cflags], [EXTRA_CFLAGS])
  dnl -isystem: warnings of our own code only
  HTTPD_CPPFLAGS="-isystem $storer_includedir $storer_extra_cppflags"
  HTTPD_CFLAGS=$storer_extra_cflags
  AC_SUBST([HTTPD_CPPFLAGS])
  AC_SUBST([HTTPD_CFLAGS])
])

dnl STORER_HTTPD_RELEASE(SHELL-VARIABLE, MACRO): a number of ap_release.h.
AC_DEFUN([STORER_HTTPD_RELEASE], [
  AC_COMPUTE_INT([$1], [AP_SERVER_$2], [#include <ap_release.h>], [$1=unknown])
])

dnl STORER_HTTPD_COMPILES: the headers fit; needs APR's flags, so STORER_APR calls it. Sets
dnl HTTPD_VERSION, by what the headers say.
AC_DEFUN([STORER_HTTPD_COMPILES], [
  storer_save_CPPFLAGS=$CPPFLAGS
  CPPFLAGS="$CPPFLAGS $HTTPD_CPPFLAGS $APR_CPPFLAGS $APU_CPPFLAGS"
  AC_MSG_CHECKING([for httpd's headers, 2.4.49 or later, with mod_cache.h])
  AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#include <httpd.h>
#include <http_config.h>
#include <ap_release.h>
#include <mod_cache.h>
#if AP_SERVER_MAJORVERSION_NUMBER != 2 || AP_SERVER_MINORVERSION_NUMBER < 4 \
    || (AP_SERVER_MINORVERSION_NUMBER == 4 && AP_SERVER_PATCHLEVEL_NUMBER < 49)
#error "too old"
#endif
int size_of_provider = (int) sizeof(cache_provider);
]])], [AC_MSG_RESULT([yes])], [
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([httpd 2.4.49 or later with mod_cache.h is needed; config.log says what failed])
  ])
  AC_MSG_CHECKING([for the version of httpd])
  STORER_HTTPD_RELEASE([storer_major], [MAJORVERSION_NUMBER])
  STORER_HTTPD_RELEASE([storer_minor], [MINORVERSION_NUMBER])
  STORER_HTTPD_RELEASE([storer_patch], [PATCHLEVEL_NUMBER])
  HTTPD_VERSION=$storer_major.$storer_minor.$storer_patch
  AC_SUBST([HTTPD_VERSION])
  AC_MSG_RESULT([$HTTPD_VERSION])
  CPPFLAGS=$storer_save_CPPFLAGS
])
