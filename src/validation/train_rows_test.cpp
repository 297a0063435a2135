// Files of measured runs: each layout, and everything that may be wrong in one.
#include "validation/train_rows.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "validation/train.hpp"

namespace headroom::validation {
namespace {

const std::string fixture =
    std::string(HEADROOM_SOURCE_DIR) + "/data/validation/korthikanti-2022-table-5.yaml";

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

constexpr const char* multi =
    "Parameters (billion),# GPUs,global batch,micro batch,hidden size,attention heads,# layers,"
    "sequence length,tensor parallelism,data parallelism,pipeline parallelism,iteration time (ms)\n"
    "3.6,64,512,8,3072,32,30,2048,1,64,1,3566.5\n";

TEST(Facts, NumbersAsFilesWriteThem) {
  EXPECT_DOUBLE_EQ(*parse_number(" 5_762 "), 5762);
  EXPECT_DOUBLE_EQ(*parse_number("1e9"), 1e9);
  EXPECT_FALSE(parse_number("5 or 6"));
  EXPECT_FALSE(parse_number("nan"));
  EXPECT_FALSE(parse_number("inf"));
  for (const char* none : {"null", "~", "", "NaN", ".inf", "unknown"}) EXPECT_TRUE(is_absent(none));
  EXPECT_FALSE(is_absent("0"));
}

TEST(TrainRows, TheYamlLayoutJoinsModelsAndMachines) {
  const auto rows = read_train_rows(fixture);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->rows.size(), 8u);
  const auto& r = rows->rows[4];
  EXPECT_EQ(r.id, "korth-530B-full");
  EXPECT_EQ(r.group, "korth");
  ASSERT_NE(r.model, nullptr);
  EXPECT_EQ(r.model->layers, 105);
  ASSERT_NE(r.machine, nullptr);
  EXPECT_EQ(r.machine->facts.text("gpu"), "A100-SXM-80GB");
  EXPECT_DOUBLE_EQ(*r.facts.number("s_per_iter"), 49.05);
  EXPECT_GT(r.line, 1);
}

TEST(TrainRows, VTrainTablesAreKnownByTheirHeader) {
  const auto rows = parse_train_rows("any-name.txt", multi);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->rows.size(), 1u);
  const auto& r = rows->rows[0];
  EXPECT_EQ(r.group, "vtrain-multi");
  EXPECT_EQ(r.model->hidden, 3072);
  EXPECT_EQ(r.model->layers, 30);
  EXPECT_NEAR(*r.facts.number("s_per_iter"), 3.5665, 1e-9);
  // Without the first column it is the single-node table.
  const auto single = parse_train_rows(
      "x.csv", std::string(multi).substr(21, 176) + "8,32,4,1024,16,24,1024,2,2,2,219.7\n");
  ASSERT_TRUE(single);
  ASSERT_EQ(single->rows.size(), 1u);
  EXPECT_EQ(single->rows[0].group, "vtrain-single");
}

TEST(TrainRows, BrokenLinesOfATableAreSkippedWithTheReason) {
  const auto rows =
      parse_train_rows("x.csv", std::string(multi) +
                                    "3.6,64,512,8,,32,30,2048,1,64,1,3566.5\r\n\n1,2\n"
                                    "3.6,64,512,8,3072,32,30,2048,1,64,1,nan\n");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->rows.size(), 1u);
  ASSERT_EQ(rows->skipped.size(), 3u);
  EXPECT_EQ(rows->skipped[0].reason, "hidden is missing or not above 0");
  EXPECT_EQ(rows->skipped[2].reason, "ms is missing or not above 0");
}

TEST(TrainRows, MemoryReadingsMayGiveTheirShapeThemselves) {
  const auto rows = parse_train_rows(
      "memory.yaml",
      "measured:\n"
      "  - {id: bs-1, layers: 8, hidden: 14400, gpus: 8, dp: 1, tp: 8, pp: 1, prec: bf16, mem_gb: "
      "68, source: 'bigscience chronicles-prequel.md'}\n"
      "  - {id: bs-2, layers: 8, hidden: 14400, gpus: 8, mem_gb: 60, source: same}\n");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->rows.size(), 2u);
  ASSERT_NE(rows->rows[0].model, nullptr);
  EXPECT_EQ(rows->rows[0].model->ffn, 4 * 14400);
  EXPECT_EQ(rows->rows[0].facts.text("prec"), "bf16");  // its own, not the sweep's
  EXPECT_EQ(rows->rows[1].facts.text("recompute"), "full");
}

TEST(TrainRows, AModelOfOneFileServesTheRowsOfAnother) {
  auto rows = parse_train_rows("a.yaml", "rows:\n  - {id: x-1, model: m, hw: h}\n");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->rows[0].model, nullptr);
  auto other = parse_train_rows(
      "b.yaml", "models: {m: {layers: 2}}\nhw: {h: {gpu: H100}}\nrows: [{id: y-1, model: m}]\n");
  ASSERT_TRUE(other);
  rows->append(std::move(*other));
  ASSERT_EQ(rows->rows.size(), 2u);
  ASSERT_NE(rows->rows[0].model, nullptr);
  EXPECT_EQ(rows->rows[0].model->layers, 2);
  EXPECT_NE(rows->rows[0].machine, nullptr);
}

TEST(TrainRows, FilesOfAnotherLayoutAreRefusedWithWhatIsExpected) {
  for (const char* text : {"a: 1\n", "- 1\n", "scalar\n"}) {
    const auto rows = parse_train_rows("x.yaml", text);
    ASSERT_FALSE(rows) << text;
    EXPECT_NE(render(rows.error()).find("rows"), std::string::npos);
  }
  EXPECT_FALSE(parse_train_rows("x.csv", "a,b\n1,2\n"));
  EXPECT_FALSE(parse_train_rows("x.csv", ""));
  EXPECT_FALSE(parse_train_rows("x.yaml", ""));
  EXPECT_FALSE(parse_train_rows("x.yaml", "rows: [\n"));
  EXPECT_FALSE(read_train_rows("/nowhere/at/all.yaml"));
  EXPECT_FALSE(read_train_rows("/"));
}

TEST(TrainRows, OddRowsAreSkippedNotFatal) {
  const auto rows = parse_train_rows("x.yaml",
                                     "rows:\n"
                                     "  - 7\n"
                                     "  - {model: m}\n"
                                     "  - {id: a-1, s_per_iter: 'about 3', gpus: [1, 2]}\n");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->rows.size(), 1u);
  EXPECT_EQ(rows->skipped.size(), 2u);
  EXPECT_FALSE(rows->rows[0].facts.number("s_per_iter"));
  EXPECT_EQ(rows->rows[0].facts.mistakes().front(), "s_per_iter 'about 3' is no number");
}

// Every text near a good one either reads or is refused; every row is compared or skipped.
TEST(TrainRows, MutatedFilesNeverBreakAnything) {
  const auto good = read(fixture) + "  - {id: z-1, oom: true, hw: selene, model: gpt-22B}\n";
  const Stream random(1, "validation/mutate");
  for (std::uint64_t k = 0; k < 400; ++k) {
    std::string text = k % 3 == 0 ? std::string(multi) : good;
    const auto name = k % 3 == 0 ? "x.csv" : "x.yaml";
    for (std::uint64_t edit = 0; edit < 1 + k % 6; ++edit) {
      const auto at = std::size_t(random.uniform(k, 3 * edit) * double(text.size()));
      const auto how = random.uniform(k, 3 * edit + 1);
      const char c = "0-:,{}[]'x\n .9e~"[std::size_t(random.uniform(k, 3 * edit + 2) * 16)];
      if (how < 0.4)
        text[at] = c;
      else if (how < 0.7)
        text.insert(at, 1, c);
      else
        text.erase(at, 1 + at % 7);
    }
    const auto rows = parse_train_rows(name, text);
    if (!rows) {
      EXPECT_FALSE(rows.error().empty());
      continue;
    }
    const auto v = validate_train(*rows, {}, catalog::Catalog::builtin());
    EXPECT_EQ(v.steps.rows.size() + v.steps.skipped.size(),
              rows->rows.size() + rows->skipped.size());
    EXPECT_FALSE(nlohmann::json::parse(to_json(v, {})).empty());
  }
}

}  // namespace
}  // namespace headroom::validation
