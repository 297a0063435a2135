// A scenario reads files of its own folder and no others.
#include "spec/beside.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace headroom::spec {
namespace {

namespace fs = std::filesystem;

class BesideFiles : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder / "below");
    std::ofstream(folder / "a.csv") << "1\n";
    std::error_code error;
    fs::create_symlink("/etc/passwd", folder / "link.csv", error);
  }
  void TearDown() override { fs::remove_all(folder); }
  const fs::path folder =
      fs::canonical(fs::temp_directory_path()) / ("beside_test." + std::to_string(::getpid()));
  const std::string scenario = (folder / "x.yaml").string();
};

TEST_F(BesideFiles, AreRead) {
  EXPECT_EQ(beside(scenario, "a.csv", "file").path, (folder / "a.csv").string());
  EXPECT_EQ(beside(scenario, "below/../a.csv", "file").path, (folder / "a.csv").string());
}

TEST_F(BesideFiles, OthersAreNot) {
  for (const char* name : {"../a.csv", "/etc/passwd", "link.csv", "below/../../a.csv", ".."}) {
    const auto found = beside(scenario, name, "file");
    EXPECT_EQ(found.path, "") << name;
    EXPECT_EQ(found.hint, "copy the file beside the scenario and give its name");
  }
}

TEST_F(BesideFiles, NoneWithoutAFolder) {
  const auto found = beside(std::string(nowhere), "a.csv", "file");
  EXPECT_EQ(found.path, "");
  EXPECT_NE(found.message.find("in no folder"), std::string::npos);
}

}  // namespace
}  // namespace headroom::spec
