import { contract } from '../contract.ts'
import { inspect } from '../pages/inspect.ts'

contract(inspect)
