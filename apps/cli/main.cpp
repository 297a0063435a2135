#include "cli.hpp"

int main(int argc, char** argv) { return headroom::cli::run(argc, argv); }
