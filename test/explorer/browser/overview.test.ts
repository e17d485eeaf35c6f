import { contract } from '../contract.ts'
import { overview } from '../pages/overview.ts'

contract(overview)
