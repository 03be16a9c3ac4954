"""Results for people and programs: terminal tables, md, csv, json, jsonl, latex, one self-contained HTML page."""
