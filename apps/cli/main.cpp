#include "cli.hpp"
#include "ui.hpp"

int main(int argc, char** argv) {
  headroom::cli::carry_ui(headroom::cli::serve);
  return headroom::cli::run(argc, argv);
}
