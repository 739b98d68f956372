/** Leads stack traces of the sandbox back to the author's TypeScript. */
import { SourceMap, type SourceMapPayload } from 'node:module';
import { join } from 'node:path';
import type { Place } from '@lateen/schemas';

/** A frame as the engine writes it: `at name (bundle.js:1:234)`. */
const FRAME = /bundle\.js:(\d+):(\d+)/g;

export interface StackMapper {
  /** The trace with places in the author's files where they are known. */
  stack(trace: string): string;
  /** The place of the innermost frame that lies in one of the author's own files. */
  place(trace: string): Place | undefined;
}

/**
 * @param map JSON text of the bundle's source map.
 * @param sourceDir the addon's source folder; `foldersUp` of the map's sources are resolved against its `dist`.
 */
export function stackMapper(map: string, sourceDir: string): StackMapper {
  const sourceMap = new SourceMap(JSON.parse(map) as SourceMapPayload);
  const find = (line: number, column: number): Place | undefined => {
    const entry = sourceMap.findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return undefined;
    const file = join(sourceDir, 'dist', entry.originalSource);
    return { file, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  };
  return {
    stack: (trace) =>
      trace.replace(FRAME, (frame, line: string, column: string) => {
        const place = find(Number(line), Number(column));
        return place ? `${place.file}:${place.line}:${place.column}` : frame;
      }),
    place(trace) {
      for (const [, line, column] of trace.matchAll(FRAME)) {
        const place = find(Number(line), Number(column));
        if (place?.file.startsWith(join(sourceDir, '/')) && !place.file.includes('node_modules')) return place;
      }
      return undefined;
    },
  };
}
