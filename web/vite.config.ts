import { defineConfig } from 'vitest/config';
import type { Plugin } from 'vite';

// One self-contained file: the script and the style stand in the page itself, so it opens from disk,
// by mail and behind a policy that allows nothing else.
function singleFile(): Plugin {
  return {
    name: 'headroom-single-file',
    enforce: 'post',
    generateBundle(_, bundle) {
      const page = bundle['index.html'];
      if (page?.type !== 'asset') throw new Error('no index.html in the bundle');
      let html = String(page.source);
      for (const [name, part] of Object.entries(bundle)) {
        if (name === 'index.html') continue;
        const file = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
        if (part.type === 'chunk') {
          const code = part.code.trim().replaceAll('</script', '<\\/script');
          html = html.replace(new RegExp(`<script[^>]*src="[^"]*${file}"[^>]*></script>`), '');
          html = html.replace('</body>', () => `<script type="module">${code}</script>\n</body>`);
        } else {
          const link = new RegExp(`<link[^>]*href="[^"]*${file}"[^>]*>`);
          html = html.replace(link, () => `<style>${String(part.source).trim()}</style>`);
        }
        delete bundle[name];
      }
      page.source = html.replace(/\n\s*\n/g, '\n');
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [singleFile()],
  build: {
    cssMinify: true,
    target: 'es2022',
    outDir: process.env.HEADROOM_WEB_OUT ?? 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 1_000_000,
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: { output: { codeSplitting: false } },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'] },
});
