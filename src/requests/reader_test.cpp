#include "requests/reader.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/random.hpp"
#include "requests/rows.hpp"
#include "requests/text_file.hpp"

namespace headroom::requests {
namespace {

Stream good(std::string_view text, const ReadOptions& options = {}, ReadReport* report = nullptr) {
  auto s = read_text(text, "t", options, report);
  EXPECT_TRUE(s) << (s ? "" : render(s.error()));
  return s ? *s : Stream{};
}

std::string errors(std::string_view text, const ReadOptions& options = {}) {
  const auto s = read_text(text, "t", options);
  EXPECT_FALSE(s);
  return s ? "" : render(s.error());
}

std::string format_of(std::string_view text) {
  ReadReport report;
  good(text, {}, &report);
  return report.format;
}

std::string folder() {
  const auto path = std::filesystem::path(testing::TempDir()) /
                    ("requests-" + std::to_string(static_cast<long>(getpid())));
  std::filesystem::create_directories(path);
  return path.string();
}

constexpr auto azure_2023 =
    "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
    "2023-11-16 18:15:46.6805900,374,44\r\n"
    "2023-11-16 18:15:50.9951690,396,109\r\n"
    "2023-11-16 18:15:51.2224670,879,55\r\n";

TEST(Azure, TimesAreRelativeToTheTenthOfAMicrosecond) {
  const auto s = good(azure_2023);
  ASSERT_EQ(s.requests.size(), 3u);
  EXPECT_EQ(s.requests[0].arrival_s, 0);
  // vidur_splitwise_conv.csv, the same trace re-based by others: 4.314579 and 4.541877.
  EXPECT_DOUBLE_EQ(s.requests[1].arrival_s, 4.314579);
  EXPECT_DOUBLE_EQ(s.requests[2].arrival_s, 4.541877);
  EXPECT_EQ(s.requests[2].prompt, 879);
  EXPECT_EQ(s.requests[2].output, 55);
}

TEST(Azure, The2024WeekHasOffsetsAndThe2025TraceHasImages) {
  const auto s = good(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n"
      "2024-05-12 23:59:59.999930+00:00,2162,5\n"
      "2024-05-13 00:00:00.017335+00:00,2399,6\n");
  EXPECT_NEAR(s.requests[1].arrival_s, 0.017405, 1e-12);
  const auto m = good(
      "TIMESTAMP,NumImages,ContextTokens,GeneratedTokens\n"
      "2025-01-01T00:00:00Z,2,1543,94\n2025-01-01T00:00:01.5Z,0,37,8\n");
  EXPECT_EQ(m.requests[0].prompt, 1543);
  EXPECT_EQ(m.requests[1].arrival_s, 1.5);
}

TEST(Azure, LeapDayAndZones) {
  std::int64_t a = 0, b = 0;
  ASSERT_TRUE(parse_time("2024-02-28 23:59:59", a));
  ASSERT_TRUE(parse_time("2024-03-01 00:00:00", b));
  EXPECT_EQ(b - a, 86401LL * 1'000'000'000);
  ASSERT_TRUE(parse_time("2024-03-01 01:00:00+01:00", a));
  EXPECT_EQ(a, b);
  ASSERT_TRUE(parse_time("1970-01-01T00:00:00.000000001Z", a));
  EXPECT_EQ(a, 1);
  EXPECT_FALSE(parse_time("2024-13-01 00:00:00", a));
  EXPECT_FALSE(parse_time("2024-12-01 24:00:00", a));
  EXPECT_FALSE(parse_time("2024-12-01 23:00:00 PST", a));
}

TEST(Mooncake, HashesAndMilliseconds) {
  ReadReport report;
  const auto s = good(
      "{\"timestamp\": 27482, \"input_length\": 6955, \"output_length\": 52, \"hash_ids\": [46, "
      "47]}\n"
      "{\"timestamp\": 30535, \"input_length\": 600, \"output_length\": 26, \"hash_ids\": [46, "
      "2366]}\n",
      {}, &report);
  EXPECT_EQ(report.format, "mooncake");
  ASSERT_EQ(s.requests.size(), 2u);
  EXPECT_DOUBLE_EQ(s.requests[1].arrival_s, 3.053);
  EXPECT_EQ(s.block_tokens, 512);
  const auto blocks = s.blocks_of(s.requests[1]);
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0], 46u);
  EXPECT_EQ(blocks[1], 2366u);
}

TEST(Mooncake, AiperfSessionsGrowAndWait) {
  const auto s = good(
      "{\"session_id\": \"a\", \"timestamp\": 0, \"input_length\": 600, \"output_length\": 100}\n"
      "{\"session_id\": \"a\", \"delay\": 2000, \"input_length\": 400, \"output_length\": 50}\n"
      "{\"session_id\": \"b\", \"timestamp\": 500, \"input_length\": 10, \"output_length\": 5}\n");
  ASSERT_EQ(s.requests.size(), 3u);
  EXPECT_EQ(s.requests[1].after, 0u);
  EXPECT_EQ(s.requests[1].arrival_s, 2.0);
  EXPECT_EQ(s.requests[1].prompt, 1100) << "600 + 100 + 400: the conversation so far";
  ASSERT_EQ(s.requests[1].blocks, 2u);
  EXPECT_EQ(s.blocks_of(s.requests[1])[0], s.blocks_of(s.requests[0])[0]);
  EXPECT_EQ(s.requests[2].after, no_request);
  EXPECT_EQ(s.requests[2].arrival_s, 0.5);
  EXPECT_NE(s.requests[2].session, s.requests[0].session);
}

TEST(Burstgpt, FailedRequestsAreLeftOutAndCounted) {
  ReadReport report;
  const auto s = good(
      "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log "
      "Type\n"
      "5,,2.1,ChatGPT,472,18,490,Conversation log\n"
      "45,7,1.0,GPT-4,1087,0,1087,API log\n"
      "118,7,3.3,GPT-4,417,276,693,API log\n",
      {}, &report);
  ASSERT_EQ(s.requests.size(), 2u);
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(report.rows, 3u);
  EXPECT_EQ(s.requests[1].arrival_s, 113);
  EXPECT_EQ(s.models, (std::vector<std::string>{"ChatGPT", "GPT-4"}));
  EXPECT_EQ(s.classes, (std::vector<std::string>{"Conversation log", "API log"}));
  EXPECT_EQ(s.requests[1].model, 1);
  EXPECT_EQ(s.requests[1].session, 0u);
}

TEST(Lengths, ServingSimulatorsAndLogs) {
  const auto s = good(
      "{\"input_toks\": 2358, \"output_toks\": 531, \"arrival_time_ns\": 46926808, "
      "\"input_tok_ids\": 2358}\n"
      "{\"input_toks\": 1034, \"output_toks\": 769, \"arrival_time_ns\": 347938951}\n");
  EXPECT_NEAR(s.requests[1].arrival_s, 0.301012143, 1e-15);
  ReadReport report;
  const auto log = good(
      "{\"request_id\": \"bench-0\", \"input_toks\": 2358, \"output_toks\": 531, \"arrival_time\": "
      "1777142838.338653, \"queued_ts\": 479748.34}\n",
      {}, &report);
  EXPECT_EQ(report.format, "lengths");
  EXPECT_EQ(log.requests[0].arrival_s, 0);
}

TEST(Lengths, WithoutArrivalsTheyComeAtOnceOrByPoisson) {
  constexpr auto text =
      "num_prefill_tokens,num_decode_tokens,num_total_tokens\n3772,54,3826\n2015,156,2171\n";
  ReadReport report;
  const auto once = good(text, {}, &report);
  EXPECT_EQ(once.requests[1].arrival_s, 0);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes[0].find("at once"), std::string::npos);
  const auto drawn = good(text, {.rate_per_s = 2});
  EXPECT_EQ(drawn.requests[0].arrival_s, 0);
  EXPECT_GT(drawn.requests[1].arrival_s, 0);
}

TEST(Aiperf, ProfileExport) {
  ReadReport report;
  const auto s = good(
      "{\"metadata\":{\"session_num\":1,\"request_start_ns\":1759813207532900363,\"benchmark_"
      "phase\":"
      "\"profiling\",\"was_cancelled\":false},\"metrics\":{\"input_sequence_length\":{\"value\":"
      "550,"
      "\"unit\":\"tokens\"},\"output_sequence_length\":{\"value\":48,\"unit\":\"tokens\"}},"
      "\"error\":null}\n"
      "{\"metadata\":{\"request_start_ns\":1759813207032900363,\"benchmark_phase\":\"profiling\"},"
      "\"metrics\":{\"input_sequence_length\":{\"value\":12,\"unit\":\"tokens\"},"
      "\"output_sequence_length\":{\"value\":3,\"unit\":\"tokens\"}},\"error\":null}\n"
      "{\"metadata\":{\"request_start_ns\":1759813206032900363,\"benchmark_phase\":\"warmup\"},"
      "\"metrics\":{\"input_sequence_length\":{\"value\":12,\"unit\":\"tokens\"},"
      "\"output_sequence_length\":{\"value\":3,\"unit\":\"tokens\"}},\"error\":null}\n"
      "{\"metadata\":{\"request_start_ns\":1759813209032900363,\"benchmark_phase\":\"profiling\"},"
      "\"metrics\":{},\"error\":{\"code\":499,\"message\":\"gone\"}}\n",
      {}, &report);
  EXPECT_EQ(report.format, "aiperf");
  ASSERT_EQ(s.requests.size(), 2u);
  EXPECT_EQ(s.requests[0].prompt, 12) << "sorted: exports stand in the order of completion";
  EXPECT_DOUBLE_EQ(s.requests[1].arrival_s, 0.5);
  EXPECT_EQ(report.failed, 2u);
}

TEST(Guidellm, NewAndOldNames) {
  ReadReport report;
  const auto s = good(
      R"({"benchmarks": [{"requests": {"successful": [
        {"prompt_tokens": 512, "output_tokens": 128, "info": {"timings": {"request_start": 1002.0}}},
        {"prompt_tokens": 256, "output_tokens": 64, "request_start_time": 1000.5}],
        "errored": [{}], "incomplete": []}}]})",
      {}, &report);
  EXPECT_EQ(report.format, "guidellm");
  ASSERT_EQ(s.requests.size(), 2u);
  EXPECT_EQ(s.requests[0].prompt, 256);
  EXPECT_DOUBLE_EQ(s.requests[1].arrival_s, 1.5);
  EXPECT_EQ(report.failed, 1u);
}

TEST(VllmBench, StartTimesOrTheRate) {
  const auto s = good(
      R"({"request_rate": 4.0, "input_lens": [10, 20], "output_lens": [3, 4], "start_times": [7.0, 7.25], "errors": ["", ""]})");
  ASSERT_EQ(s.requests.size(), 2u);
  EXPECT_EQ(s.requests[1].arrival_s, 0.25);
  ReadReport report;
  const auto drawn =
      good(R"({"request_rate": 4.0, "input_lens": [10, 20], "output_lens": [3, 4]})", {}, &report);
  EXPECT_GT(drawn.requests[1].arrival_s, 0);
  EXPECT_EQ(report.notes.size(), 1u);
  EXPECT_NE(errors(R"({"input_lens": [10], "output_lens": [3, 4]})").find("1 input_lens but 2"),
            std::string::npos);
}

TEST(Sharegpt, TextIsEstimatedAndSaidSo) {
  ReadReport report;
  const auto s = good(
      R"([{"id": "x", "conversations": [{"from": "human", "value": "abcdefgh"}, {"from": "gpt", "value": "abcdefghijkl"}]},
          {"id": "y", "conversations": [{"from": "human", "value": "alone"}]}])",
      {}, &report);
  ASSERT_EQ(s.requests.size(), 1u);
  EXPECT_EQ(s.requests[0].prompt, 2);
  EXPECT_EQ(s.requests[0].output, 3);
  EXPECT_FALSE(report.notes.empty());
}

TEST(Detect, ByNamesNotByFile) {
  EXPECT_EQ(format_of(azure_2023), "azure");
  EXPECT_EQ(format_of("arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,374,44\n"), "vidur");
  EXPECT_EQ(format_of("arrival_s,prompt,output\n0,1,1\n"), "headroom");
  EXPECT_EQ(format_of("\xef\xbb\xbf"
                      "arrival_s,prompt,output\n0,1,1\n"),
            "headroom");
}

// --- what is wrong, and where -------------------------------------------------------

TEST(BadRows, AllInOnePassWithTheirPlaces) {
  const auto text = errors(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n"
      "2023-11-16 18:15:46.68,0,44\n"
      "2023-11-16 18:15:47.68,37,-1\n"
      "2023-11-16 18:15:48.68,3x7,1\n"
      "yesterday,7,1\n"
      "2023-11-16 18:15:49.68,7\n"
      "2023-11-16 18:15:49.68,7,1,9\n"
      "2023-11-16 18:15:49.68,,1\n"
      "2023-11-16 18:15:46.68,7,1\n"
      "2023-11-16 18:15:50.68,99999999999,1\n");
  EXPECT_NE(text.find("t:2:24: prompt: 0 tokens, expected at least 1"), std::string::npos) << text;
  EXPECT_NE(text.find("t:3:27: output: -1 tokens, expected at least 1"), std::string::npos);
  EXPECT_NE(text.find("t:4:24: ContextTokens: '3x7', expected a whole number"), std::string::npos);
  EXPECT_NE(text.find("t:5:1: TIMESTAMP: 'yesterday', expected a number, or a time"),
            std::string::npos);
  EXPECT_NE(text.find("t:6:25: 2 cells, expected the 3"), std::string::npos) << text;
  EXPECT_NE(text.find("t:7:28: 4 cells, expected the 3"), std::string::npos) << text;
  EXPECT_NE(text.find("t:8:24: ContextTokens: the cell is empty"), std::string::npos);
  EXPECT_NE(text.find("expected at most 2147483647"), std::string::npos);
  EXPECT_NE(text.find("8 mistakes"), std::string::npos) << text;
}

TEST(BadRows, UnsortedIsAMistakeUnlessAsked) {
  constexpr auto text =
      "arrived_at,num_prefill_tokens,num_decode_tokens\n3,30,1\n1.5,10,1\n2,20,1\n";
  const auto said = errors(text);
  EXPECT_NE(said.find("t:3:1: arrival: lies 1.5 s before the row above"), std::string::npos)
      << said;
  EXPECT_NE(said.find("--sort"), std::string::npos);
  const auto s = good(text, {.sort = true});
  ASSERT_EQ(s.requests.size(), 3u);
  EXPECT_EQ(s.requests[0].prompt, 10);
  EXPECT_EQ(s.requests[0].arrival_s, 0);
  EXPECT_EQ(s.requests[2].arrival_s, 1.5);
}

TEST(BadRows, SkippedOnRequestAndCounted) {
  ReadReport report;
  const auto s =
      good("arrived_at,num_prefill_tokens,num_decode_tokens\n0,30,1\n1,0,1\n2,x,1\n3,20,1\n",
           {.skip_bad = true}, &report);
  EXPECT_EQ(s.requests.size(), 2u);
  EXPECT_EQ(report.rows, 4u);
  EXPECT_EQ(report.skipped, 2u);
  EXPECT_EQ(report.bad.count(), 2u);
}

TEST(BadRows, TheListIsCappedAndTheRestCounted) {
  std::string text = "arrived_at,num_prefill_tokens,num_decode_tokens\n";
  for (int i = 0; i < 1000; ++i) text += "1,0,1\n";
  const auto said = errors(text);
  EXPECT_NE(said.find("and 800 more"), std::string::npos);
  EXPECT_NE(said.find("1000 mistakes"), std::string::npos);
}

TEST(BadRows, JsonSaysWhereToo) {
  const auto said = errors(
      "{\"timestamp\": 0, \"input_length\": 10, \"output_length\": 5, \"hash_ids\": [1]}\n"
      "{\"timestamp\": 1, \"input_length\": \"ten\", \"output_length\": 5}\n"
      "{\"timestamp\": 2, \"input_length\": 10, \"output_length\": 5, \"hash_ids\": [1, }\n"
      "{\"timestamp\": 3, \"input_length\": 10 \"output_length\": 5}\n"
      "{\"timestamp\": 4, \"output_length\": 5}\n"
      "{\"timestamp\": 5, \"input_length\": 10, \"output_length\"\n"
      "not json\n"
      "{\"timestamp\": 6, \"input_length\": 10, \"output_length\": 0}\n");
  EXPECT_NE(said.find("t:2:34: input_length: 'ten', expected a whole number"), std::string::npos)
      << said;
  EXPECT_NE(said.find("t:3:74: '}', expected a block hash"), std::string::npos) << said;
  EXPECT_NE(said.find("t:4:37: '\"', expected ',' or '}'"), std::string::npos) << said;
  EXPECT_NE(said.find("t:5:37: prompt: the row has no prompt length"), std::string::npos) << said;
  EXPECT_NE(said.find("t:6:53: the end of the line, expected ':'"), std::string::npos) << said;
  EXPECT_NE(said.find("t:7:1: 'n', expected '{'"), std::string::npos) << said;
  EXPECT_NE(said.find("t:8:55: output: 0 tokens"), std::string::npos) << said;
}

TEST(BadRows, WrongColumnsNameTheNearest) {
  const auto said = errors("TIMESTAMP,ContextToken,GeneratedTokens\n2023-11-16 18:15:46,1,1\n");
  EXPECT_NE(said.find("t:1:1: no column with prompt lengths among: TIMESTAMP, ContextToken"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("is 'ContextToken' meant to be 'ContextTokens'?"), std::string::npos) << said;
  EXPECT_NE(errors("1,2,3\n4,5,6\n").find("no column with prompt lengths"), std::string::npos);
}

TEST(BadFiles, EmptyMissingDamaged) {
  EXPECT_NE(errors("\n\n").find("is empty"), std::string::npos);
  EXPECT_NE(errors("arrival_s,prompt,output\n").find("holds no requests"), std::string::npos);
  const auto dir = folder();
  std::ofstream(dir + "/trace.csv") << azure_2023;
  const auto missing = read(dir + "/trace.cvs");
  ASSERT_FALSE(missing);
  EXPECT_NE(render(missing.error()).find("did you mean 'trace.csv'?"), std::string::npos);
  ASSERT_TRUE(save_text(std::string(100000, 'x') + azure_2023, dir + "/whole.csv.gz"));
  std::ifstream in(dir + "/whole.csv.gz", std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  std::ofstream(dir + "/cut.csv.gz", std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  const auto cut = read(dir + "/cut.csv.gz");
  ASSERT_FALSE(cut);
  EXPECT_NE(render(cut.error()).find("ends too early"), std::string::npos);
  EXPECT_FALSE(read_text(azure_2023, "t", {.format = "azur"}));
}

// --- round trips ----------------------------------------------------------------------

Stream everything() {
  Stream s;
  s.block_tokens = 64;
  s.classes = {"chat", "batch"};
  s.models = {"a", "b"};
  const headroom::Stream random(7, "test");
  for (std::uint32_t i = 0; i < 200; ++i) {
    Request r;
    r.arrival_s = i == 0 ? 0.1 : s.requests[i - 1].arrival_s + random.exponential(0.3, i, 0);
    r.prompt = 1 + static_cast<std::int32_t>(random.uniform(i, 1) * 4000);
    r.output = 1 + static_cast<std::int32_t>(random.uniform(i, 2) * 400);
    r.traffic_class = i % 2;
    r.model = (i / 2) % 2;
    r.adapter = i % 3;
    r.priority = static_cast<std::int16_t>(static_cast<int>(i % 5) - 2);
    if (i % 7 == 0) r.session = i / 7;
    if (i % 4 == 0) r.shared = i % 8, r.shared_tokens = std::min(r.prompt, 100);
    if (i % 3 == 0) {
      r.first_block = static_cast<std::uint32_t>(s.hashes.size());
      r.blocks = static_cast<std::uint32_t>(r.prompt / 64);
      for (std::uint32_t b = 0; b < r.blocks; ++b) s.hashes.push_back(session_block(i % 6, b));
    }
    s.requests.push_back(r);
  }
  return s;
}

void expect_same(const Stream& a, const Stream& b) {
  ASSERT_EQ(a.requests.size(), b.requests.size());
  EXPECT_EQ(a.block_tokens, b.block_tokens);
  for (std::size_t i = 0; i < a.requests.size(); ++i) {
    const auto &x = a.requests[i], &y = b.requests[i];
    ASSERT_EQ(x.arrival_s, y.arrival_s) << "to the last bit";
    ASSERT_EQ(x.prompt, y.prompt);
    ASSERT_EQ(x.output, y.output);
    ASSERT_EQ(x.after, y.after);
    ASSERT_EQ(x.session, y.session);
    ASSERT_EQ(x.shared, y.shared);
    ASSERT_EQ(x.shared_tokens, y.shared_tokens);
    ASSERT_EQ(a.classes.at(x.traffic_class), b.classes.at(y.traffic_class));
    ASSERT_EQ(a.models.at(x.model), b.models.at(y.model));
    ASSERT_EQ(x.adapter, y.adapter);
    ASSERT_EQ(x.priority, y.priority);
    const auto p = a.blocks_of(x), q = b.blocks_of(y);
    ASSERT_TRUE(std::equal(p.begin(), p.end(), q.begin(), q.end()));
  }
}

TEST(RoundTrip, EveryFormGivesTheSameStream) {
  auto s = everything();
  s.requests[150].after = 149;
  s.requests[150].arrival_s = 2.5;
  for (const char* name : {"/a.csv", "/a.jsonl", "/a.csv.gz", "/a.jsonl.gz"}) {
    SCOPED_TRACE(name);
    const auto path = folder() + name;
    const auto written = write(s, path);
    ASSERT_TRUE(written) << render(written.error());
    const auto back = read(path);
    ASSERT_TRUE(back) << render(back.error());
    expect_same(s, *back);
  }
  EXPECT_FALSE(write(s, folder() + "/a.parquet"));
}

TEST(RoundTrip, SortKeepsTheLinks) {
  Stream s;
  s.requests.resize(4);
  const double arrival[] = {5, 1, 2.5, 3};
  for (std::size_t i = 0; i < 4; ++i) {
    s.requests[i].arrival_s = arrival[i];
    s.requests[i].prompt = static_cast<std::int32_t>(10 * (i + 1));
    s.requests[i].output = 1;
  }
  s.requests[2].after = 1;  // 2.5 s after the answer of the second row
  const auto path = folder() + "/links.csv";
  ASSERT_TRUE(write(s, path));
  ReadOptions options;
  options.sort = true;
  const auto back = read(path, options);
  ASSERT_TRUE(back) << render(back.error());
  EXPECT_EQ(back->requests[0].prompt, 20);
  EXPECT_EQ(back->requests[1].prompt, 30);
  EXPECT_EQ(back->requests[1].after, 0u);
  EXPECT_EQ(back->requests[2].prompt, 40);
  EXPECT_EQ(back->requests[3].prompt, 10);
}

TEST(Reader, MostStopsEarly) { EXPECT_EQ(good(azure_2023, {.most = 2}).requests.size(), 2u); }

}  // namespace
}  // namespace headroom::requests
