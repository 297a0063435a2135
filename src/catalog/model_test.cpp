#include "catalog/model.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace headroom::catalog {
namespace {

namespace fs = std::filesystem;

/// Mistakes of an overlay with one small model that has this line.
std::string mistakes_of(const std::string& line) {
  const auto folder = fs::path(testing::TempDir()) / "headroom-model-test";
  fs::create_directories(folder / "model");
  std::ofstream(folder / "model" / "mine.yaml")
      << "sources:\n  me: {title: a test, date: 2026-11}\nentries:\n"
         "  - {id: mine, source: me, name: Mine, layers: 2, hidden: 64, vocab: 100, context: 128,\n"
         "     heads: 4, ffn: 128, "
      << line << "}\n";
  Diagnostics all;
  const auto catalog = Catalog::with_overlay(folder.string(), all);
  catalog->check(all);
  fs::remove_all(folder);
  std::string out;
  for (const auto& d : all.all())
    if (d.file.find("mine.yaml") != std::string::npos) out += render(d);
  return out;
}

TEST(Model, ARepositoryHasAnOwnerAndAName) {
  EXPECT_EQ(mistakes_of("hugging_face: meta-llama/Llama-3.1-8B-Instruct"), "");
  for (const char* bad : {"llama", "a/b/c", "/name", "owner/", "'owner/na me'"}) {
    const auto said = mistakes_of(std::string("hugging_face: ") + bad);
    EXPECT_NE(said.find("owner/name"), std::string::npos) << bad << ": " << said;
  }
}

// Two entries with one repository would be one model twice.
TEST(Model, RepositoriesAreNamedOnce) {
  std::set<std::string> seen;
  int named = 0;
  for (const auto* m : Catalog::builtin().all<Model>()) {
    if (m->hugging_face.empty()) continue;
    EXPECT_TRUE(seen.insert(m->hugging_face).second) << m->id << ": " << m->hugging_face;
    ++named;
  }
  EXPECT_GE(named, 60);
}

}  // namespace
}  // namespace headroom::catalog
