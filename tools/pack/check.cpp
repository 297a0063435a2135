// headroom_check_catalog DIR: reads every entry of a catalogue folder and prints its mistakes as
// file:line:column. Run by the build, which stops on them: the compiled-in entries are decoded on
// first use, where a mistake would only leave a number out.
#include <cstdio>

#include "catalog/catalog.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: headroom_check_catalog DIR\n", stderr);
    return 2;
  }
  headroom::Diagnostics diagnostics;
  headroom::catalog::Catalog::with_overlay(argv[1], diagnostics);
  if (diagnostics.empty()) return 0;
  std::fputs(render(diagnostics).c_str(), stderr);
  return 1;
}
