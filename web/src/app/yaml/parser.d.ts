// The concrete syntax parser of the `yaml` package. Its index also carries the composer, the schemas
// and the writer, which the app has no use for: 22 kB gzipped in place of 7.
declare module '*/yaml/browser/dist/parse/parser.js' {
  export { Parser } from 'yaml';
}
