#include <gtest/gtest.h>
#include <cstdio>
#include "fabric/path.hpp"
#include "train/assess.hpp"
using namespace headroom;
TEST(Smoke, Llama405) {
  const auto& cat = catalog::Catalog::builtin();
  const auto* m = cat.find<catalog::Model>("llama-3.1-405b");
  const auto* a = cat.find<catalog::Accelerator>("h100-sxm");
  const auto* s = cat.find<catalog::System>("dgx-h100");
  ASSERT_TRUE(m && a && s);
  train::Demand d; d.scope="pretrain"; d.model=m; d.accelerator=a; d.gpus=16384;
  d.path=fabric::make_path(*s,*a,{400*gigabit_per_second});
  train::JobSpec spec; spec.global_batch={2048*8192.0*token,assumed("x")};
  spec.plan.tp=8; spec.plan.pp=16; spec.plan.dp=128;
  for (int k=0;k<2;k++){ Trace t;
  auto r=train::assess(spec,d,t);
  for(auto& p:r.findings.plans) { printf("%s\n",p.summary.c_str()); for(auto&[a,b]:p.items) printf("  %s: %s\n",a.c_str(),b.c_str()); }
  for(auto& x:r.findings.margins) { printf("%s need %g have %g %s\n",x.id.c_str(),x.need,x.have,x.why.c_str()); for(auto&y:x.remedies) printf("   - %s\n",y.action.c_str()); }
  for(auto& x:r.findings.remarks) printf("remark %s\n",x.c_str());
  printf("step %g mfu %g hfu %g days %g plans %ld\n",r.step_time.value.si(),double(r.mfu.value),double(r.hfu.value),r.duration.in(day),r.plans);
  spec.plan={}; spec.finish_within={60*day,assumed("x")};}
}
